"""Lithops, as far as it runs against this endpoint: its AWSLambdaBackend.invoke, in 64 threads as in its invoker.

Lithops has no option for the endpoint of Lambda, and takes results from object storage, not SQS. So the address is
replaced below Lithops, in the request that is ready to be sent, and results are received as in the row of boto3.
"""

from __future__ import annotations

from typing import Any

from boto3_threads import Run
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from lithops.serverless.backends.aws_lambda.aws_lambda import AWSLambdaBackend
from measured import job

RUNTIME, MEMORY_MB = "bench", 256


class AtEndpoint:
    """Sends to the endpoint what Lithops has made for AWS's address."""

    def __init__(self, session: URLLib3Session, host: str) -> None:
        self._session, self._host = session, host

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        request.url = request.url.replace(f"https://{self._host}/", f"http://{self._host}/")
        return self._session.send(request)


class LithopsRun(Run):
    def __init__(self, asked: dict[str, Any]) -> None:
        super().__init__(asked)
        self.backend = AWSLambdaBackend(
            {
                "region": asked["region"],
                "access_key_id": asked["access_key_id"],
                "secret_access_key": asked["secret_access_key"],
                "execution_role": f"arn:aws:iam::{'0' * 12}:role/bench",
                "user_agent": "lithops",
                "account_id": "0" * 12,
                "user_id": "bench",
            },
            None,
        )
        self.backend.host = asked["endpoint_url"].removeprefix("http://")
        self.backend.session = AtEndpoint(self.backend.session, self.backend.host)
        # The function that Lithops would have deployed.
        self.awslambda.create_function(
            FunctionName=self.backend._format_function_name(RUNTIME, MEMORY_MB),
            Role=f"arn:aws:iam::{'0' * 12}:role/bench",
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
            Runtime="python3.12",
            Handler="entry_point.lambda_handler",
        )

    def invoke(self, number: int) -> None:
        if not self.stopped.is_set():
            self.backend.invoke(RUNTIME, MEMORY_MB, self.event(number))


def main() -> None:
    run = LithopsRun(job())
    try:
        run.measured.begin()
        run.in_threads()
        run.measured.report()
    finally:
        run.awslambda.delete_function(FunctionName=run.backend._format_function_name(RUNTIME, MEMORY_MB))


if __name__ == "__main__":
    main()
