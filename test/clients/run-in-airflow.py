"""Airflow's EcsRunTaskOperator, without a scheduler around it: runs the task definition of the first argument to its end.

What becomes of it is a line of standard output: {"succeeded": true} or {"failed": the exception's class, "message": its text}.
"""
import json
import sys

from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator

run = EcsRunTaskOperator(
    task_id="run",
    # The credentials and the endpoint of the environment.
    aws_conn_id=None,
    cluster="default",
    task_definition=sys.argv[1],
    overrides={"containerOverrides": [{"name": "run", "environment": [{"name": "FROM", "value": "airflow"}]}]},
    tags={"from": "airflow"},
    waiter_delay=1,
    do_xcom_push=False,
)
try:
    run.execute({})
except Exception as failure:
    print(json.dumps({"failed": type(failure).__name__, "message": str(failure)}))
else:
    print(json.dumps({"succeeded": True}))
