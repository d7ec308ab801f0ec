"""Parses commands of the AWS command line, and validates their parameters against the API, without calling it.

Reads a JSON list of argument lists, and prints what is invalid. Commands that the command line implements itself
(`s3`, `configure`, `sso`, `cloudformation deploy`) have no API to validate against.
"""

import io
import json
import sys
from contextlib import redirect_stderr

from awscli import clidriver
from awscli.customizations import waiters
from botocore.validate import ParamValidator

OWN = {("s3",), ("configure",), ("sso",), ("cloudformation", "deploy")}
checked = 0
errors = []


def validate(_self, service, operation, parameters, _globals):
    """Stands in for the call of an operation."""
    global checked
    checked += 1
    model = clidriver.create_clidriver().session.get_service_model(service)
    report = ParamValidator().validate(parameters, model.operation_model(operation).input_shape)
    # Variables of the shell are not expanded, so only lengths can differ.
    if report.has_errors() and "length" not in report.generate_report():
        errors.append(report.generate_report())
    return 0


def skip(_self, *_arguments):
    """Stands in for waiting: its options have been parsed."""
    global checked
    checked += 1
    return 0


clidriver.CLIOperationCaller.invoke = validate
waiters.WaiterCaller.invoke = skip
for arguments in json.load(sys.stdin):
    if any(tuple(arguments[: len(own)]) == own for own in OWN):
        continue
    output = io.StringIO()
    try:
        with redirect_stderr(output):
            status = clidriver.create_clidriver().main(arguments)
    except SystemExit as exit:
        status = exit.code
    if status:
        errors.append(f"aws {' '.join(arguments)}: {output.getvalue().strip()[-300:]}")
print(json.dumps({"checked": checked, "errors": errors}))
