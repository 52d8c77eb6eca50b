"""Opens the library's executor, and renews its credentials, in a thread.

A secrets backend may be on the network, and assuming a role is a call to AWS. The scheduler must not wait for either.
Until the executor is open, tasks wait in memory.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from lambda_executor import Error, Executor, InvalidConfigError

from . import credentials

log = logging.getLogger(__name__)

# A connection in a secrets backend may change at any time.
LOOK_AGAIN_S = 300.0
# Credentials are renewed this long before they expire, or after half of a shorter life.
BEFORE_EXPIRY_S = 600.0
SHORTEST_S = 1.0
# The same back-off as the library's: 4, 16, 64, 120 s.
MOST_BACK_OFF_S = 120.0


class Opening:
    """One executor of the library, and the thread that opens it."""

    def __init__(
        self,
        options: dict[str, Any],
        conn_id: str,
        team: str | None,
        identity: Callable[[str, str | None], credentials.Identity] = credentials.identity,
    ) -> None:
        self._options = options
        self._conn_id = conn_id
        self._team = team
        self._identity = identity
        self._ended = threading.Event()
        self._decided = threading.Event()
        # True while `start` waits.
        self._awaited = True
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="lambda-executor-credentials", daemon=True)
        #: The library's executor, once it is open.
        self.library: Executor | None = None
        #: Why it is not open, if an operator must correct it.
        self.error: InvalidConfigError | None = None
        #: Why reading the connection last failed, for debug_dump.
        self.trouble = ""

    def start(self, patience: float) -> None:
        """Starts the thread, and waits for a short time, to raise mistakes in the configuration."""
        self._thread.start()
        self._decided.wait(patience)
        with self._lock:
            self._awaited = False
        if self.error is not None:
            raise self.error

    def stop(self) -> None:
        """Ends opening and renewing. Does not wait for the thread, which may wait on the network."""
        with self._lock:
            self._ended.set()

    def _run(self) -> None:
        try:
            found = self._open()
            while found is not None and not found.renewed_by_library and not self._ended.wait(_pause(found)):
                found = self._renew(found)
        except Exception:
            log.exception("the credentials of connection %s are not renewed any more", self._conn_id)

    def _open(self) -> credentials.Identity | None:
        failures = 0
        while not self._ended.is_set():
            try:
                found = self._look()
                config = {**found.options, **self._options}
                with self._lock:
                    # Stopped meanwhile: no other code would close it.
                    if self._ended.is_set():
                        return None
                    self.library = Executor(config)
                return found
            except InvalidConfigError as error:
                with self._lock:
                    if self._awaited:
                        self.error = error
                        return None
                # Repeated, because a connection can be changed while this runs.
                self._troubled(error)
            except Exception as error:
                self._troubled(error)
            finally:
                if self.library is not None or self.error is not None:
                    self._decided.set()
            failures += 1
            self._ended.wait(min(4.0**failures, MOST_BACK_OFF_S))
        return None

    def _renew(self, known: credentials.Identity) -> credentials.Identity:
        try:
            found = self._look()
            library = self.library
            if found.keys is not None and found.keys != known.keys and library is not None:
                library.set_credentials(*found.keys)
                log.info("new credentials of connection %s", self._conn_id)
            self.trouble = ""
            return found if found.keys is not None else known
        except Error as error:
            # The executor was closed meanwhile, or the keys are invalid.
            self._troubled(error)
        except Exception as error:
            self._troubled(error)
        return known

    def _look(self) -> credentials.Identity:
        if "local" in self._options:
            # The local server has its own credentials.
            return credentials.Identity({}, None, None, True)
        return self._identity(self._conn_id, self._team)

    def _troubled(self, error: Exception) -> None:
        self.trouble = f"{type(error).__name__}: {error}"
        log.error("connection %s cannot be used; it is read again later: %s", self._conn_id, self.trouble)


def _pause(found: credentials.Identity) -> float:
    if found.expires is None:
        return LOOK_AGAIN_S
    left = credentials.seconds_left(found.expires)
    return max(SHORTEST_S, left - BEFORE_EXPIRY_S if left > 2 * BEFORE_EXPIRY_S else left / 2)
