"""Prints a SAM template as CloudFormation runs it: translate_template.py FILE [PARAMETER=VALUE …]"""

import json
import os
import sys

# The translator resolves partitions by region.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

file, *parameters = sys.argv[1:]
with open(file, encoding="utf-8") as text:
    template = yaml_parse(text.read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        # As after packaging: the translator rejects local paths.
        resource["Properties"]["CodeUri"] = f"s3://code/{resource['Properties']['CodeUri']}"
values = dict(parameter.split("=", 1) for parameter in parameters)
json.dump(Translator({}, Parser()).translate(template, values), sys.stdout)
