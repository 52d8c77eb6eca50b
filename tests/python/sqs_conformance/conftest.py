"""The same tests run against moto and our local server: the behaviour common to both is taken to be SQS's."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import servers
from mypy_boto3_sqs import SQSClient


@pytest.fixture(scope="session", params=["moto", "local"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with ExitStack() as stack:
        if request.param == "moto":
            yield stack.enter_context(servers.moto())
        else:
            yield stack.enter_context(servers.local(tmp_path_factory.mktemp("local"), handler="builtin"))


@pytest.fixture(autouse=True)
def _known_differences(request: pytest.FixtureRequest, server: servers.Server) -> None:
    difference = request.node.get_closest_marker("moto_differs")
    if difference and server.kind == "moto":
        request.applymarker(pytest.mark.xfail(reason=difference.args[0]))


@pytest.fixture(scope="session")
def sqs(server: servers.Server) -> SQSClient:
    return server.sqs()


_numbers = itertools.count(1)

MakeQueue = Callable[..., str]


@pytest.fixture
def make_queue(sqs: SQSClient) -> Iterator[MakeQueue]:
    """Creates a queue with the attributes given as keywords; `fifo=True` for a FIFO queue. Deleted after the test."""
    made = []

    def make(*, fifo: bool = False, **attributes: str) -> str:
        name = f"conformance-{next(_numbers)}"
        if fifo:
            name += ".fifo"
            attributes["FifoQueue"] = "true"
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
        made.append(url)
        return url

    yield make
    for url in made:
        sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def queue(make_queue: MakeQueue) -> str:
    return make_queue()


@pytest.fixture
def fifo(make_queue: MakeQueue) -> str:
    return make_queue(fifo=True)
