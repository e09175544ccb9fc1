"""The Celery application: queues, limits, and the beat's timetable."""

from celery import Celery

from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.settings import Settings

settings = Settings()

QUEUES = ("relay", "dispatch", "evaluation", "maintenance")

app = Celery(
    "wtb",
    broker=settings.redis_url.get_secret_value(),
    include=[
        "workers.tasks.relay",
        "workers.tasks.dispatch",
        "workers.tasks.evaluation",
        "workers.tasks.maintenance",
        "workers.tasks.integrity",
    ],
)

app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,  # What the beat sends switches it off: Flower is for the runs.
    worker_redirect_stdouts=False,  # Ray cannot start with Celery's replacement of stdout.
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "socket_timeout": 30,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "visibility_timeout": 60,  # Tasks are short: one that is lost comes back soon.
    },
    task_create_missing_queues=False,
    task_queues={name: {"routing_key": name} for name in QUEUES},
    task_default_queue="maintenance",
    task_routes={
        "wtb.relay.*": {"queue": "relay"},
        "wtb.dispatch.*": {"queue": "dispatch"},
        "wtb.evaluation.*": {"queue": "evaluation"},
        "wtb.maintenance.*": {"queue": "maintenance"},
    },
    beat_schedule={
        "relay": {
            "task": "wtb.relay.relay_outbox",
            "schedule": settings.relay.loop_seconds,
            "options": {"expires": 2 * settings.relay.loop_seconds},
        },
        "reap": {
            "task": "wtb.maintenance.reap_lost_runners",
            "schedule": settings.runner.heartbeat_seconds,
            "options": {"expires": 2 * settings.runner.heartbeat_seconds},
        },
        "finish-batches": {
            "task": "wtb.maintenance.finish_batches",
            "schedule": settings.runner.heartbeat_seconds,
            "options": {"expires": 2 * settings.runner.heartbeat_seconds},
        },
        "ensure-runners": {
            "task": "wtb.dispatch.dispatch_runs",
            "args": [DEFAULT_POOL],
            "schedule": settings.runner.heartbeat_seconds,
            "options": {"expires": 2 * settings.runner.heartbeat_seconds},
        },
        "sweep-workspaces": {
            "task": "wtb.maintenance.sweep_workspaces",
            "schedule": settings.files.sweep_seconds,
            "options": {"expires": settings.files.sweep_seconds},
        },
        "verify-events": {
            "task": "wtb.maintenance.verify_events",
            "schedule": settings.integrity.verify_every_seconds,
            "options": {"expires": settings.integrity.verify_every_seconds},
        },
        "check-integrity": {
            "task": "wtb.maintenance.begin_due_check",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "partitions": {
            "task": "wtb.maintenance.maintain_partitions",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "collect-garbage": {
            "task": "wtb.maintenance.collect_garbage",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
    },
)
