"""What a fault is played on: a broker of its own, a subscriber, and devices, each behind a proxy of its own."""

import contextlib
import os
import pathlib
import shutil
import signal
import ssl
import tempfile
import threading
import time

from background import Loop
from counting import Ledger
from devices import DeviceFault, Glimpse
from harness import Broker, wait_until
from proxy import Proxy
from subscriber import Subscriber

KEEP_ALIVE_S = 56  # the shortest that glimpse takes
KEEP_ALIVE = ["--keep-alive", f"{KEEP_ALIVE_S}s"]
SETTLED_AFTER_S = 60 + 15  # the back-off's cap, and an attempt


class Stage:
    """Use in a `with`; everything is closed and deleted at its end."""

    def __init__(self, chance):
        self.chance = chance
        self.cleanups = contextlib.ExitStack()
        self.addCleanup = self.cleanups.callback  # for harness.Broker
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="glimpse-faults-"))
        self.devices, self.ledgers, self.strangers = {}, {}, 0

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.enter_context(self.cleanups)
            self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
            self.broker = Broker(self)
            self.broker.start()
            background = Loop()
            self.addCleanup(background.close)
            self.loop = background.loop
            self.subscriber = Subscriber(self.loop, self.broker.port, self.broker.folder, self._received)
            self.addCleanup(self.subscriber.close)
            self._wait_for_subscriber()
            self.cleanups = undo.pop_all()
        return self

    def __exit__(self, *_):
        self.cleanups.close()

    def device(self, name, make=Glimpse, plain=False, state=None):
        """A device with certificates of its own and `proxy` before the broker. plain: it speaks mqtt:// as far as the proxy."""
        self.broker.device = name
        self.broker.script("start")  # it runs already: only the certificate is made
        folder = self.broker.folder
        files = [folder / "devices" / f"{name}.crt", folder / "devices" / f"{name}.key"]
        upstream = None
        if plain:
            upstream = ssl.create_default_context(cafile=folder / "ca.crt")
            upstream.load_cert_chain(*files)
        proxy = Proxy(self.loop, self.broker.port, plain, upstream, self.chance)
        self.addCleanup(proxy.close)
        options = ["--broker", f"mqtt://127.0.0.1:{proxy.port}"] if plain else [
            "--broker", f"mqtts://localhost:{proxy.port}", "--ca", folder / "ca.crt", "--cert", files[0], "--key", files[1]]
        self.ledgers[name] = Ledger()
        device = make(name, self.ledgers[name], state or self.folder / "state" / name, options)
        device.state.mkdir(parents=True, exist_ok=True)
        device.state.chmod(0o700)
        device.proxy = proxy
        self.devices[name] = device
        self.addCleanup(device.close)
        return device

    def kill_broker(self):
        """SIGKILL; returns when the process is gone."""
        pid = int((self.broker.folder / "pid").read_text())
        os.kill(pid, signal.SIGKILL)

        def gone():  # or a zombie that whoever adopted it has not collected yet
            try:
                return ") Z" in pathlib.Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                return True

        wait_until(gone, "the broker's end")

    def restart_broker(self):
        """Returns when it runs and the subscriber listens: from now on nothing that is acknowledged goes unseen."""
        self.subscriber.ready.clear()
        self.broker.script("start")
        self._wait_for_subscriber()

    def settle(self, device, *options):
        """Leaves the device down and all that it accepted received, if it ever will be: a stop has 0.5 s for the last records, and
        what they do not suffice for waits in the outbox for the next run."""
        device.proxy.set_mode("pass")
        for _ in range(5):
            if not device.running():
                device.start(*(options or (*device.pace(1), *KEEP_ALIVE)))
            before = device.ledger.missing()
            self._wait_for_arrivals(device, before)
            if device.running():
                device.terminate()
            self.subscriber.barrier()
            if not device.ledger.missing() or before and before == device.ledger.still_missing(before):
                return

    @staticmethod
    def _wait_for_arrivals(device, keys):
        """Until all have arrived, or none more does for longer than a back-off lasts. Who counts sees what is missing."""
        left, since = len(keys), time.monotonic()

        def over():
            nonlocal left, since
            now_left = len(device.ledger.still_missing(keys))
            if now_left != left:
                left, since = now_left, time.monotonic()
            return not left or time.monotonic() - since > SETTLED_AFTER_S

        with contextlib.suppress(DeviceFault):
            device.wait(over, f"the backlog of {device.name}", 3600)

    def _wait_for_subscriber(self):
        if not self.subscriber.ready.wait(60):
            raise AssertionError("gave up waiting for the subscription")

    def _received(self, topic, payload):
        ledger = self.ledgers.get(topic.split("/")[2])
        if ledger:
            ledger.receive(payload)
        else:
            self.strangers += 1


def in_parallel(jobs):
    """Runs functions in threads and gives their results; the first failure is raised when all have ended."""
    results, failures = [None] * len(jobs), []

    def run(number, job):
        try:
            results[number] = job()
        except Exception as error:  # noqa: BLE001: raised below, in the caller's thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


def pause(chance, low_s, high_s):
    """The fault's random moment: not to wait for anything."""
    time.sleep(chance.uniform(low_s, high_s))


def shares(count, parts):
    """`count` rounds dealt out to at most `parts` devices."""
    parts = min(count, parts)
    return [count // parts + (number < count % parts) for number in range(parts)]
