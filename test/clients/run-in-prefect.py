"""Prefect's ECS worker with a Prefect server of its own in this process: starts three flow runs alike, and cancels the third.

The arguments are an image and a command. The last line of standard output is {"tasks": identifiers of the first two, "cancelled": the
third's, "gone": the exception's class for a task that nobody knows}.
"""
import asyncio
import json
import logging
import sys

from botocore.exceptions import ClientError
from prefect import flow, get_client
from prefect.testing.utilities import prefect_test_harness
from prefect_aws.workers.ecs_worker import ECSJobConfiguration, ECSWorker


@flow
def work():
    pass


variables = {
    "cluster": "default",
    "launch_type": "EC2",
    "family": "from-prefect",
    "image": sys.argv[1],
    "command": sys.argv[2],
    "env": {"FROM": "prefect"},
    "cpu": 128,
    "memory": 32,
}


async def start(worker, client):
    flow_run = await client.create_flow_run(work)
    template = ECSWorker.get_default_base_job_template()
    configuration = await ECSJobConfiguration.from_template_and_values(template, variables)
    configuration.prepare_for_flow_run(flow_run)
    return (await worker.run(flow_run, configuration)).identifier, configuration


async def main(answer):
    async with get_client() as client, ECSWorker(work_pool_name="work") as worker:
        answer["tasks"] = [(await start(worker, client))[0] for _ in range(2)]
        answer["cancelled"], configuration = await start(worker, client)
        await worker.kill_infrastructure(answer["cancelled"], configuration)
        try:
            await worker.kill_infrastructure("default::" + "a" * 32, configuration)
        except Exception as error:
            answer["gone"] = type(error).__name__


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    answer = {}
    with prefect_test_harness():
        try:
            asyncio.run(main(answer))
        except ClientError as error:
            # Beside the worker it listens for ECS' events on a queue of SQS, which is no part of ECS.
            if error.operation_name != "GetQueueUrl":
                raise
    print(json.dumps(answer))
