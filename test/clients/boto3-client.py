"""Calls boto3's ECS client as it is asked to: a line of standard input is a request, its answer a line of standard output.

AWS_* variables say where and as whom. A request is {"call": operation, "input": …}, {"list": operation, "input": …} (all pages, one item
each, by boto3's paginator) or {"wait": waiter, "input": …}; an answer {"answer": …} or {"code": …, "message": …}.
"""
import json
import sys

import boto3
from botocore.exceptions import ClientError, WaiterError

ecs = boto3.client("ecs")


def done(request):
    if "call" in request:
        answer = getattr(ecs, request["call"])(**request["input"])
        # Nothing of the wire: boto3 made it.
        del answer["ResponseMetadata"]
        return {"answer": answer}
    if "list" in request:
        pages = ecs.get_paginator(request["list"]).paginate(**request["input"], PaginationConfig={"PageSize": 1})
        return {"answer": pages.build_full_result()}
    ecs.get_waiter(request["wait"]).wait(**request["input"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return {"answer": {}}


for line in sys.stdin:
    try:
        answer = done(json.loads(line))
    except ClientError as error:
        known = type(error) is not ClientError
        code = type(error).__name__ if known else error.response["Error"]["Code"]
        answer = {"code": code, "message": error.response["Error"]["Message"]}
    except WaiterError as error:
        answer = {"code": "WaiterError", "message": str(error)}
    print(json.dumps(answer, default=str), flush=True)
