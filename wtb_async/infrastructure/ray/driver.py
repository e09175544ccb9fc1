"""This process as a Ray driver."""

import logging

import ray


def connect_driver(address: str, namespace: str) -> None:
    """Connect once; later calls only look.

    Call it from a thread that is not the main one: there Ray leaves the handler of SIGTERM alone,
    with which a Celery worker ends its tasks in good order.
    """
    if not ray.is_initialized():
        ray.init(
            address=address,
            namespace=namespace,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
        )
