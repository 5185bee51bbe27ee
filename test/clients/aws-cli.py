"""Runs the AWS CLI as often as it is asked to, each time in a child of this process, which has read the program once.

The first argument is the program's file. A line of standard input is a list of arguments; its answer is a line with code, stdout, stderr.
"""
import json
import os
import runpy
import sys
import tempfile

path = sys.argv[1]
main = runpy.run_path(path, run_name="aws")["main"]
answers = os.fdopen(os.dup(1), "w")


def run(arguments, out, err):
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.argv = [path, *arguments]
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


for line in sys.stdin:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            run(json.loads(line), out, err)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
        print(json.dumps({"code": code, "stdout": texts[0], "stderr": texts[1]}), file=answers, flush=True)
