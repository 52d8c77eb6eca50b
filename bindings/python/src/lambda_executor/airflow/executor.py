"""Airflow's executor: the methods that Airflow calls."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Hashable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow.executors.base_executor import BaseExecutor

from lambda_executor import Batch, ClosedError, Event, State, Task, new_attempt_id
from lambda_executor import Executor as Library

from . import adoption, options, outcomes, task_log, versions
from .acknowledgements import Acknowledgements
from .dispatches import Dispatch, Dispatches
from .opening import Opening
from .submissions import Submission, Submissions

if TYPE_CHECKING:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

# Seconds that `start` waits for the connection, to raise mistakes in the configuration.
OPENING_S = 10.0
# Seconds of one heartbeat for each of: taking workloads, submitting, taking events. The next heartbeat does the rest.
BUDGET_S = 0.02
# Number of items between two looks at the clock. A failed task takes about 0.3 ms, a submitted one 0.05 ms.
EVENTS, TASKS, LEAST = 50, 200, 10
FINAL = frozenset({"success", "failed"})


class LambdaExecutor(BaseExecutor):
    """Runs Airflow's tasks and callbacks on AWS Lambda.

    Created in the scheduler, which starts it, and in the API server, which only asks for logs.
    """

    supports_multi_team: bool = True
    supports_pickling: bool = False
    is_local: bool = False
    is_production: bool = True
    serve_logs: bool = False
    # The scheduler writes the attempt_id in the transaction that queues the task, before the Invoke.
    pre_assigns_external_executor_id = True
    supports_task_instance_uuid = versions.UUID_KEYS
    if versions.TYPED_QUEUES:
        supported_workload_types = versions.WORKLOAD_TYPES
    elif versions.CALLBACKS:
        supports_callbacks: bool = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._forget()

    def _forget(self) -> None:
        self._opening: Opening | None = None
        self._acknowledgements: Acknowledgements | None = None
        self._dispatches = Dispatches()
        self._submissions = Submissions(self._is_tracked, self._refuse)
        # Airflow 2: keys that `sync` must fail, with the reason.
        self._failed: list[tuple[Any, str]] = []
        self._options: dict[str, Any] = {}
        self._logged: list[Any] = []
        self._closed_logged = False

    def start(self) -> None:
        """Opens the library. Raises InvalidConfigError for mistakes in the configuration. On errors of AWS, tasks wait
        and the log has the reason."""
        self._forget()
        self._options = options.read(versions.conf_of(self))
        given = dict(self._options)
        conn_id = given.pop(options.CONN_ID, "") or "aws_default"
        self._opening = Opening(given, conn_id, versions.team_of(self))
        self._opening.start(OPENING_S)

    @property
    def library(self) -> Library | None:
        """The library's executor, once it is open."""
        return self._opening.library if self._opening is not None else None

    # Tasks in

    if versions.QUEUES_NO_WORKLOADS:

        def queue_workload(self, workload: Any, session: Session | None) -> None:
            self.queued_tasks[workload.ti.key] = workload

    def _process_workloads(self, workload_items: Sequence[Any]) -> None:
        """Takes workloads out of their queue, for a limited time. The rest waits for the next heartbeat."""
        deadline = time.monotonic() + BUDGET_S
        for place, workload in enumerate(workload_items, 1):
            self._take_workload(workload)
            # Checked after every LEAST workloads, so that each heartbeat takes some even on a busy machine.
            if place % LEAST == 0 and time.monotonic() > deadline:
                break

    def _take_all_workloads(self) -> None:
        """Takes all workloads at the end. Their ids are in the database, so the next scheduler treats them as
        submitted."""
        if not versions.COMMANDS:
            for queue in versions.queues_of(self):
                for workload in list(queue.values()):
                    self._take_workload(workload)

    def _take_workload(self, workload: Any) -> None:
        key = versions.key_of(self, workload)
        for queue in versions.queues_of(self):
            queue.pop(key, None)
        try:
            command = ["python", "-m", "airflow.sdk.execution_time.execute_workload", "--json-string"]
            command.append(workload.model_dump_json())
            if hasattr(workload, "ti"):
                ti = workload.ti
                preassigned = getattr(ti, "external_executor_id", None)
                self._dispatch(key, command, ti.queue, getattr(ti, "executor_config", None), preassigned)
            else:
                self._dispatch(key, command, workload.callback.data.get("queue"), None, None)
        except Exception as error:
            log.exception("%s cannot be submitted", key)
            self._fail(key, f"{type(error).__name__}: {error}")

    def execute_async(
        self, key: Any, command: list[str], queue: str | None = None, executor_config: Any = None
    ) -> None:
        """Airflow 2: the base class has taken the task out of its queue, and adds the key to `running` after this call.
        A key that failed here would so occupy its slot for ever. Therefore `sync` reports the failure."""
        try:
            self._dispatch(key, command, queue, executor_config, None)
        except Exception as error:
            log.exception("%s cannot be submitted", key)
            self._failed.append((key, f"{type(error).__name__}: {error}"))

    def _dispatch(
        self, key: Hashable, command: list[str], queue: str | None, executor_config: Any, preassigned: str | None
    ) -> None:
        # An event of an earlier dispatch: the scheduler has queued the task again meanwhile.
        if key in self.event_buffer and self._acknowledgements is not None:
            self.event_buffer.pop(key)
            self._acknowledgements.dropped(key)
        # Also if the library refuses the task, until the scheduler has processed the failure.
        self.running.add(key)
        dispatch = self._dispatches.begin(key, _attempt_id(preassigned))
        # Converted here, so that the error names executor_config.
        config = json.loads(json.dumps(executor_config)) if executor_config else None
        task = Task(
            dispatch.wire,
            command,
            executor_config=config,
            queue=self._route(queue),
            attempt_id=dispatch.attempt_id,
        )
        self._submissions.add(Submission(dispatch, [task], adopted=False))

    def _route(self, queue: str | None) -> str:
        """The library's route of a queue. Airflow's default queue, whatever its name, is the default route unless a
        route has its name."""
        if not queue or "queues" not in self._options:
            return ""
        default = versions.conf_of(self).get("operators", "default_queue", fallback="default")
        return "" if queue == default and queue not in self._options["queues"] else queue

    def _submit(self, most: int) -> int:
        library = self.library
        if library is None:
            return 0
        try:
            return self._submissions.submit(library, most)
        except ClosedError:
            return 0

    def _is_tracked(self, dispatch: Dispatch) -> bool:
        return self._dispatches.at(dispatch.wire) is dispatch

    def _refuse(self, dispatch: Dispatch, reason: str) -> None:
        newest = self._dispatches.newest(dispatch.key) is dispatch
        self._dispatches.end(dispatch)
        if newest:
            self._fail(dispatch.key, reason)

    def _fail(self, key: Any, reason: str) -> None:
        self.log_task_event(event=outcomes.INVOKE_FAILURE, extra=f"Not submitted: {reason}", ti_key=key)
        self.fail(key, reason)

    def log_task_event(self, *, event: str, extra: str, ti_key: Any) -> None:
        """Adds a row to Airflow's log table, which the scheduler writes after the heartbeat.

        Keeps a reference to the row until it is written. The scheduler passes a generator to SQLAlchemy, and SQLAlchemy
        2.1 has only weak references to the rows, so that they would be freed before the INSERT.
        """
        super().log_task_event(event=event, extra=extra, ti_key=ti_key)
        if self._task_event_logs:
            self._logged.append(self._task_event_logs[-1])

    # Events

    def heartbeat(self) -> None:
        """Submits queued tasks and takes events. Never waits on the network, never raises."""
        try:
            if self._acknowledgements is not None:
                self._acknowledgements.processed(self.event_buffer)
        except ClosedError:
            pass
        except Exception:
            log.exception("results cannot be acknowledged")
        if not self._task_event_logs:
            self._logged.clear()
        try:
            if versions.REFUSES_RUNNING:
                # A key that is queued again is not running any more.
                self.running.difference_update(self.queued_tasks)
            super().heartbeat()
        except Exception:
            log.exception("a heartbeat has failed; the next one continues")

    def sync(self) -> None:
        """Submits tasks and takes events, for a limited time."""
        try:
            while self._failed:
                self._fail(*self._failed.pop())
            library = self.library
            if library is not None:
                self._sync(library)
        except ClosedError:
            self._log_closed()
        except Exception:
            log.exception("events cannot be taken; the next heartbeat tries again")

    def _sync(self, library: Library) -> None:
        if self._acknowledgements is None:
            self._acknowledgements = Acknowledgements(library)
        deadline = time.monotonic() + BUDGET_S
        while self._submit(TASKS) and time.monotonic() < deadline:
            pass
        deadline = time.monotonic() + BUDGET_S
        while batch := library.sync(0, EVENTS):
            self._take_events(batch, self._acknowledgements)
            if time.monotonic() > deadline:
                break
        self._count(library)

    def _take_events(self, batch: Batch, acknowledgements: Acknowledgements) -> None:
        acknowledgements.hold(batch)
        settled = []
        for event in batch:
            try:
                if not self._take_event(event, acknowledgements):
                    settled.append(event.seq)
            except Exception:
                # Not acknowledged, so that the next scheduler gets it again.
                log.exception("an event cannot be reported: %r", event)
        acknowledgements.acknowledge(settled)

    def _take_event(self, event: Event, acknowledgements: Acknowledgements) -> bool:
        """Reports an event to the scheduler. False if there is nothing to report."""
        dispatch = self._dispatches.at(event.key)
        if dispatch is None:
            # The dispatch was abandoned.
            return False
        key: Any = dispatch.key
        newest = self._dispatches.newest(key) is dispatch and not self._is_queued(key)
        if not event.state.final:
            if newest:
                self.running_state(key, event.key)
                acknowledgements.buffered(key, event.seq)
            return newest
        self._dispatches.end(dispatch)
        self._cancel([wire for wire in dispatch.wires if wire != event.key])
        if not newest or event.state is State.CANCELLED:
            return False
        failed = outcomes.failure(event)
        if failed is None:
            self.success(key)
        else:
            log.error("%s: %s", dispatch.text, failed.reason)
            self.log_task_event(event=failed.name, extra=failed.extra, ti_key=key)
            versions.count(f"lambda_executor.failures.{event.reason}", versions.team_of(self))
            self.fail(key, failed.reason)
        acknowledgements.buffered(key, event.seq)
        return True

    def _is_queued(self, key: Hashable) -> bool:
        """True if the scheduler has queued the key again: an earlier dispatch must not end it."""
        return any(key in queue for queue in versions.queues_of(self))

    def _count(self, library: Library) -> None:
        counts = library.counts()
        team = versions.team_of(self)
        waiting = counts.queued + len(self._submissions)
        versions.gauge("lambda_executor.waiting", waiting, team)
        versions.gauge("lambda_executor.running", counts.submitting + counts.running, team)
        versions.gauge("lambda_executor.events", counts.waiting_events, team)
        versions.gauge("lambda_executor.unacknowledged", counts.unacknowledged, team)

    def _log_closed(self) -> None:
        if not self._closed_logged:
            self._closed_logged = True
            log.error("the executor is closed: no more events")

    def get_event_buffer(self, dag_ids: Any = None) -> dict[Any, Any]:
        """Passes events to the scheduler. They count as processed at the next heartbeat."""
        events: dict[Any, Any] = super().get_event_buffer(dag_ids)
        if self._acknowledgements is not None:
            self._acknowledgements.handed_over(events)
        return events

    # Adopted and abandoned tasks

    def try_adopt_task_instances(self, tis: Sequence[TaskInstance]) -> Sequence[TaskInstance]:
        """Tracks tasks that an earlier scheduler has submitted. Returns those whose id is not of this executor."""
        with versions.timer("lambda_executor.adopt_task_instances.duration", versions.team_of(self)):
            refused = [ti for ti in tis if not self._adopt(ti)]
            try:
                while self._submit(TASKS):
                    pass
            except Exception:
                log.exception("adopted tasks are tracked from the next heartbeat on")
        log.info("adopted %d tasks of %d", len(tis) - len(refused), len(tis))
        return refused

    def _adopt(self, ti: Any) -> bool:
        try:
            key = versions.task_key_of(self, ti)
            dispatch = adoption.dispatch_of(ti, key)
            if dispatch is None:
                log.warning("%s is not adopted: its id is %r", ti, ti.external_executor_id)
                return False
            if self._dispatches.newest(key) is None:
                self._dispatches.add(dispatch)
                tasks = [
                    Task(wire, attempt_id="" if place else dispatch.attempt_id, queue=self._route(ti.queue))
                    for place, wire in enumerate(dispatch.wires)
                ]
                self._submissions.add(Submission(dispatch, tasks, adopted=True))
            self.running.add(key)
        except Exception:
            log.exception("%s is not adopted", ti)
            return False
        return True

    def revoke_task(self, *, ti: TaskInstance) -> None:
        """Abandons a task that was queued for too long. It never runs, or its result is discarded, without an event."""
        try:
            key = versions.task_key_of(self, ti)
            for queue in versions.queues_of(self):
                queue.pop(key, None)
            self._abandon(key)
            self.running.discard(key)
            if self.event_buffer.pop(key, None) is not None and self._acknowledgements is not None:
                self._acknowledgements.dropped(key)
        except Exception:
            log.exception("%s cannot be revoked", ti)

    def change_state(self, key: Any, state: Any, info: Any = None, remove_running: bool = True) -> None:
        """Abandons the library's task of a final key. The scheduler calls this too, for a task without a heartbeat."""
        if state in FINAL:
            try:
                self._abandon(key)
            except Exception:
                log.exception("%s cannot be abandoned", key)
        super().change_state(key, state, info, remove_running)

    def _abandon(self, key: Hashable) -> None:
        self._cancel([wire for dispatch in self._dispatches.abandon(key) for wire in dispatch.wires])

    def _cancel(self, wires: list[str]) -> None:
        library = self.library
        if wires and library is not None:
            try:
                library.cancel_many(wires)
            except ClosedError:
                return

    # Logs

    def get_task_log(self, ti: TaskInstance, try_number: int) -> tuple[list[str], list[str]]:
        """Names the place of a running task's log, with its lines in CloudWatch. Called in the API server, on an
        instance that was not started."""
        try:
            return task_log.read(versions.conf_of(self), ti, versions.task_key_of(self, ti))
        except Exception as error:
            log.exception("no log of %s", ti)
            return [f"The log of the task on AWS Lambda cannot be read: {error}"], []

    def get_streaming_task_log(
        self, ti: TaskInstance, try_number: int
    ) -> tuple[list[str], list[Generator[str, None, None]]]:
        """The same in the form of Airflow 3.4."""
        sources, lines = self.get_task_log(ti, try_number)
        return sources, [(line for line in lines)] if lines else []

    def debug_dump(self) -> None:
        """Logs the state. Called in the scheduler's handler of SIGUSR2."""
        super().debug_dump()
        try:
            opening, library = self._opening, self.library
            trouble = opening.trouble if opening is not None else "not started"
            log.info(
                "lambda_executor: %s; dispatches (%d)\n\t%s",
                f"not open: {trouble}" if library is None else "open",
                len(self._dispatches),
                "\n\t".join(f"{dispatch.wire} attempt_id={dispatch.attempt_id}" for dispatch in self._dispatches.all()),
            )
            log.info(
                "lambda_executor: %d wait to be submitted, %d events are not acknowledged",
                len(self._submissions),
                len(self._acknowledgements or ()),
            )
            if library is not None:
                log.info("lambda_executor.stats\n%s", json.dumps(library.stats(), indent=2))
        except ClosedError:
            log.info("lambda_executor: closed")
        except Exception:
            log.exception("the state of lambda_executor cannot be shown")

    # The end

    def end(self) -> None:
        """Waits for running tasks, up to option end_wait_timeout.

        Does not acknowledge results, since the scheduler processes no more events. The results return to their queue,
        and the next scheduler adopts the tasks.
        """
        seconds = self._options.get("end_wait_timeout") or None
        try:
            if self._opening is not None:
                self._opening.stop()
            library = self.library
            if library is None:
                return
            self._take_all_workloads()
            while self._submit(TASKS):
                pass
            remaining = library.drain(seconds)
            if remaining:
                log.warning("%d tasks continue on Lambda; the next scheduler adopts them", remaining)
        except ClosedError:
            return
        except Exception:
            log.exception("the executor ends without waiting for its tasks")
        finally:
            self._close()

    def terminate(self) -> None:
        """Ends without waiting. Submitted tasks continue on Lambda."""
        if self._opening is not None:
            self._opening.stop()
        self._close()

    def _close(self) -> None:
        library = self.library
        if library is not None:
            # Frees the batches, so that their results return to the queue.
            self._acknowledgements = None
            library.close()


def _attempt_id(preassigned: str | None) -> str:
    """The id that the scheduler has stored, else a new one."""
    try:
        if preassigned and str(UUID(preassigned)) == preassigned:
            return preassigned
    except ValueError:
        pass
    return new_attempt_id()
