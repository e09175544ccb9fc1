"""Queue `relay`: events leave the outbox."""

from time import monotonic

from workers.celery_app import app
from workers.delivery import CeleryDelivery
from workers.process import current_process
from wtb_async.application.outbox.relay_outbox import relay_outbox
from wtb_async.bootstrap.platform import ServerPlatform, relay_options
from wtb_async.infrastructure.redis.nudges import RelaySignals


@app.task(name="wtb.relay.relay_outbox", send_events=False)
def relay() -> None:
    """Relay for one beat period, blocked on the nudge between chunks."""
    process = current_process()
    process.run(_relay_for_a_while(process.platform))


async def _relay_for_a_while(platform: ServerPlatform) -> None:
    signals = RelaySignals(platform.redis)
    options = relay_options(platform.settings)
    delivery = CeleryDelivery(signals)
    await signals.seen()
    end = monotonic() + platform.settings.relay.loop_seconds
    while True:
        claimed = await relay_outbox(platform.database.unit_of_work, delivery, options)
        left = end - monotonic()
        if claimed < options.chunk_size:
            if left <= 0:
                return
            await signals.wait(left)
