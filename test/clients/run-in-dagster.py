"""Dagster's EcsRunLauncher, without a daemon around it: launches a run as a task of the definition of the first argument, and asks after it
until its worker has ended, as Dagster's run monitoring does.

The last line of standard output is {"status": …, "message": …, "tags": the task's ARN and cluster as Dagster keeps them}.
"""
import json
import sys
import time

from dagster import job, op
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import in_process_test_workspace, instance_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin


@op
def nothing():
    pass


@job
def work():
    nothing()


# Dagster reads this file once more, for the job in it.
if __name__ == "__main__":
    launcher = {
        "module": "dagster_aws.ecs",
        "class": "EcsRunLauncher",
        "config": {
            "task_definition": sys.argv[1],
            "container_name": "run",
            "use_current_ecs_task_config": False,
            # Otherwise Secrets Manager is asked for secrets of this tag.
            "secrets_tag": None,
            "run_task_kwargs": {"cluster": "default", "launchType": "EC2"},
            "run_resources": {"cpu": "128", "memory": "32"},
            "propagate_tags": {"allow_list": ["team"]},
        },
    }
    with instance_for_test(overrides={"run_launcher": launcher}) as instance:
        target = LoadableTargetOrigin(python_file=__file__, attribute="work")
        with in_process_test_workspace(instance, target) as workspace:
            location = workspace.code_locations[0]
            remote_job = next(iter(location.get_repositories().values())).get_full_job("work")
            run = instance.create_run_for_job(
                work,
                remote_job_origin=remote_job.get_remote_origin(),
                job_code_origin=remote_job.get_python_origin(),
                tags={"team": "a"},
            )
            instance.launch_run(run.run_id, workspace)
            while True:
                run = instance.get_run_by_id(run.run_id)
                health = instance.run_launcher.check_run_worker_health(run)
                if health.status in (WorkerStatus.SUCCESS, WorkerStatus.FAILED, WorkerStatus.UNKNOWN):
                    break
                time.sleep(0.2)
            tags = {name: value for name, value in run.tags.items() if name.startswith("ecs/")}
            print(json.dumps({"status": health.status.value, "message": health.msg, "tags": tags}))
