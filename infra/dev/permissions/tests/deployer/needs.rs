//! What CloudFormation does with each type of resource in template.yaml: the permissions in the handlers of AWS's resource
//! schemas, without those for properties that the template does not use.

/// Actions on a resource. In the ARN, `STACK` is the name of the stack.
pub(crate) type Need = (&'static [&'static str], &'static str);

/// Calls whose permission depends on more than the resource: the action, the ARN, and the condition keys.
pub(crate) type ConditionalNeed = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:STACK-Sso-1A2B3C";
const ALIAS: &str = "arn:aws:lambda:eu-central-1:123456789012:function:STACK-Sso-1A2B3C:live";
const MAPPING: &str = "arn:aws:lambda:eu-central-1:123456789012:event-source-mapping:0f1e2d3c";
const RULE: &str = "arn:aws:events:eu-central-1:123456789012:rule/STACK-NotifySweep-1A2B3C";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:STACK-VerifyQueue-1A2B3C";
const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:STACK-AlarmTopic-1A2B3C";
const ALARM: &str = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:STACK-SiteErrorAlarm-1A2B3C";
const LOGS: &str = "arn:aws:logs:eu-central-1:123456789012:log-group:STACK-SsoLogs-1A2B3C";
const ROLE: &str = "arn:aws:iam::123456789012:role/STACK-SsoRole-1A2B3C";
const POLICY: &str = "arn:aws:iam::123456789012:policy/STACK-AliasMapPolicy-1A2B3C";
const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:MasterSecret-1A2B3C-d4E5f6";
const CODE_DEPLOY: &str = "arn:aws:codedeploy:eu-central-1:123456789012:deploymentgroup:STACK-ServerlessDeploymentApplication-1/STACK-SsoDeploymentGroup-1";
const RELEASE_ROLE: &str = "arn:aws:iam::123456789012:role/STACK-ReleaseRole-1A2B3C";
const API_STAGE: &str = "arn:aws:apigateway:eu-central-1::/restapis/a1b2c3/stages/live";
/// Actions without a resource are on any.
const ANY: &str = "arn:aws:any:eu-central-1:123456789012:any";

const RULES: Need = (
    &["events:PutRule", "events:DescribeRule", "events:DeleteRule", "events:PutTargets", "events:RemoveTargets"],
    RULE,
);

/// What one type of resource needs. Types of SAM include what they are transformed into.
pub(crate) fn of(kind: &str) -> Option<&'static [Need]> {
    Some(match kind {
        "AWS::DynamoDB::Table" => &[(
            &[
                "dynamodb:CreateTable",
                "dynamodb:DescribeTable",
                "dynamodb:UpdateTable",
                "dynamodb:DeleteTable",
                "dynamodb:DescribeTimeToLive",
                "dynamodb:UpdateTimeToLive",
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:UpdateContinuousBackups",
                "dynamodb:DescribeContributorInsights",
                "dynamodb:DescribeKinesisStreamingDestination",
                "dynamodb:ListTagsOfResource",
                "dynamodb:TagResource",
                "dynamodb:UntagResource",
            ],
            "arn:aws:dynamodb:eu-central-1:123456789012:table/STACK-Table-1A2B3C",
        )],
        "AWS::SecretsManager::Secret" => &[
            (
                &[
                    "secretsmanager:CreateSecret",
                    "secretsmanager:DescribeSecret",
                    "secretsmanager:GetSecretValue",
                    "secretsmanager:UpdateSecret",
                    "secretsmanager:DeleteSecret",
                    "secretsmanager:TagResource",
                    "secretsmanager:ReplicateSecretToRegions",
                    "secretsmanager:RemoveRegionsFromReplication",
                ],
                SECRET,
            ),
            (&["secretsmanager:GetRandomPassword"], ANY),
        ],
        "AWS::SQS::Queue" => &[(
            &[
                "sqs:CreateQueue",
                "sqs:GetQueueUrl",
                "sqs:GetQueueAttributes",
                "sqs:SetQueueAttributes",
                "sqs:ListQueueTags",
                "sqs:TagQueue",
                "sqs:UntagQueue",
                "sqs:DeleteQueue",
            ],
            QUEUE,
        )],
        "AWS::SQS::QueuePolicy" => &[(&["sqs:SetQueueAttributes", "sqs:GetQueueAttributes"], QUEUE)],
        "AWS::SNS::Topic" => &[(
            &[
                "sns:CreateTopic",
                "sns:GetTopicAttributes",
                "sns:SetTopicAttributes",
                "sns:TagResource",
                "sns:ListTagsForResource",
                "sns:ListSubscriptionsByTopic",
                "sns:GetDataProtectionPolicy",
                "sns:DeleteTopic",
            ],
            TOPIC,
        )],
        "AWS::SNS::Subscription" => {
            &[(&["sns:Subscribe"], TOPIC), (&["sns:GetSubscriptionAttributes", "sns:Unsubscribe"], ANY)]
        }
        "AWS::SNS::TopicPolicy" => &[(&["sns:SetTopicAttributes"], TOPIC)],
        "AWS::Events::Rule" => &[RULES],
        "AWS::CloudWatch::Alarm" => &[
            (&["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:TagResource"], ALARM),
            (&["cloudwatch:DescribeAlarms"], ANY),
        ],
        "AWS::CloudWatch::Dashboard" => &[(
            &["cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards"],
            "arn:aws:cloudwatch::123456789012:dashboard/STACK",
        )],
        "AWS::Logs::LogGroup" => &[
            (
                &[
                    "logs:CreateLogGroup",
                    "logs:PutRetentionPolicy",
                    "logs:DeleteRetentionPolicy",
                    "logs:TagResource",
                    "logs:ListTagsForResource",
                    "logs:GetDataProtectionPolicy",
                    "logs:DeleteLogGroup",
                ],
                LOGS,
            ),
            (&["logs:DescribeLogGroups"], ANY),
        ],
        "AWS::Logs::MetricFilter" => {
            &[(&["logs:PutMetricFilter", "logs:DescribeMetricFilters", "logs:DeleteMetricFilter"], LOGS)]
        }
        "AWS::IAM::Role" => &[(
            &[
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListRolePolicies",
                "iam:ListAttachedRolePolicies",
                "iam:UpdateRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:DeleteRole",
            ],
            ROLE,
        )],
        "AWS::IAM::ManagedPolicy" => &[(
            &[
                "iam:CreatePolicy",
                "iam:GetPolicy",
                "iam:GetPolicyVersion",
                "iam:ListPolicyVersions",
                "iam:ListEntitiesForPolicy",
                "iam:CreatePolicyVersion",
                "iam:DeletePolicyVersion",
                "iam:DeletePolicy",
            ],
            POLICY,
        )],
        "AWS::Budgets::Budget" => {
            &[(&["budgets:ViewBudget", "budgets:ModifyBudget"], "arn:aws:budgets::123456789012:budget/STACK")]
        }
        "AWS::Serverless::Function" => &[
            (&["s3:GetObject", "s3:GetObjectVersion"], "arn:aws:s3:::deployer-codebucket-1a2b3c/one"),
            (
                &[
                    "lambda:CreateFunction",
                    "lambda:GetFunction",
                    "lambda:GetFunctionCodeSigningConfig",
                    "lambda:GetRuntimeManagementConfig",
                    "lambda:GetPolicy",
                    "lambda:ListTags",
                    "lambda:TagResource",
                    "lambda:UntagResource",
                    "lambda:UpdateFunctionCode",
                    "lambda:UpdateFunctionConfiguration",
                    "lambda:PutFunctionRecursionConfig",
                    "lambda:RemovePermission",
                    "lambda:DeleteFunction",
                    "lambda:PublishVersion",
                    "lambda:ListVersionsByFunction",
                    "lambda:PutFunctionEventInvokeConfig",
                    "lambda:UpdateFunctionEventInvokeConfig",
                    "lambda:GetFunctionEventInvokeConfig",
                    "lambda:DeleteFunctionEventInvokeConfig",
                ],
                FUNCTION,
            ),
            (&["lambda:CreateAlias", "lambda:GetAlias", "lambda:UpdateAlias", "lambda:DeleteAlias"], ALIAS),
            (&["lambda:ListEventSourceMappings"], ANY),
            RULES,
            (
                &[
                    "codedeploy:CreateApplication",
                    "codedeploy:GetApplication",
                    "codedeploy:DeleteApplication",
                    "codedeploy:RegisterApplicationRevision",
                    "codedeploy:GetApplicationRevision",
                ],
                "arn:aws:codedeploy:eu-central-1:123456789012:application:STACK-ServerlessDeploymentApplication-1",
            ),
            (
                &[
                    "codedeploy:CreateDeploymentGroup",
                    "codedeploy:GetDeploymentGroup",
                    "codedeploy:UpdateDeploymentGroup",
                    "codedeploy:DeleteDeploymentGroup",
                    "codedeploy:CreateDeployment",
                    "codedeploy:GetDeployment",
                    "codedeploy:StopDeployment",
                ],
                CODE_DEPLOY,
            ),
            (
                &["codedeploy:GetDeploymentConfig"],
                "arn:aws:codedeploy:eu-central-1:123456789012:deploymentconfig:CodeDeployDefault.LambdaCanary10Percent5Minutes",
            ),
        ],
        "AWS::Serverless::Api" | "AWS::ApiGateway::Account" => &[
            (&["apigateway:POST"], "arn:aws:apigateway:eu-central-1::/restapis"),
            (
                &["apigateway:GET", "apigateway:PATCH", "apigateway:PUT", "apigateway:POST", "apigateway:DELETE"],
                API_STAGE,
            ),
            (&["apigateway:PUT"], "arn:aws:apigateway:eu-central-1::/tags/arn%3Aaws%3Aapigateway"),
            (&["apigateway:GET", "apigateway:PATCH"], "arn:aws:apigateway:eu-central-1::/account"),
        ],
        "AWS::ApiGateway::DomainName" | "AWS::ApiGateway::BasePathMapping" => &[
            (&["apigateway:POST"], "arn:aws:apigateway:eu-central-1::/domainnames"),
            (
                &["apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:DELETE"],
                "arn:aws:apigateway:eu-central-1::/domainnames/members.example.org/basepathmappings",
            ),
        ],
        "AWS::WAFv2::WebACLAssociation" => &[
            (&["apigateway:SetWebACL", "wafv2:AssociateWebACL", "wafv2:GetWebACLForResource"], API_STAGE),
            (
                &["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"],
                "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/site/0f1e2d3c",
            ),
        ],
        "AWS::Route53::RecordSet" => &[
            (
                &["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:GetHostedZone"],
                "arn:aws:route53:::hostedzone/Z0123456789",
            ),
            (&["route53:GetChange"], "arn:aws:route53:::change/C0123456789"),
        ],
        _ => return None,
    })
}

const WITHIN_BOUNDARY: &[(&str, &str)] = &[("iam:PermissionsBoundary", "BOUNDARY")];
const OF_FUNCTION: &[(&str, &str)] = &[("lambda:FunctionArn", FUNCTION)];

/// Needs with condition keys. `BOUNDARY` is the ARN of the boundary.
pub(crate) const CONDITIONAL: &[ConditionalNeed] = &[
    ("iam:CreateRole", ROLE, WITHIN_BOUNDARY),
    ("iam:PutRolePolicy", ROLE, WITHIN_BOUNDARY),
    ("iam:DeleteRolePolicy", ROLE, WITHIN_BOUNDARY),
    ("iam:AttachRolePolicy", ROLE, WITHIN_BOUNDARY),
    ("iam:DetachRolePolicy", ROLE, WITHIN_BOUNDARY),
    ("iam:PutRolePermissionsBoundary", ROLE, WITHIN_BOUNDARY),
    ("iam:PassRole", ROLE, &[("iam:PassedToService", "lambda.amazonaws.com")]),
    ("iam:PassRole", RELEASE_ROLE, &[("iam:PassedToService", "codedeploy.amazonaws.com")]),
    ("lambda:CreateEventSourceMapping", MAPPING, OF_FUNCTION),
    ("lambda:GetEventSourceMapping", MAPPING, OF_FUNCTION),
    ("lambda:UpdateEventSourceMapping", MAPPING, OF_FUNCTION),
    ("lambda:DeleteEventSourceMapping", MAPPING, OF_FUNCTION),
    ("lambda:AddPermission", ALIAS, &[("lambda:Principal", "apigateway.amazonaws.com")]),
    ("lambda:AddPermission", FUNCTION, &[("lambda:Principal", "events.amazonaws.com")]),
];

/// What a changed template or workflow could ask for, and must not get.
pub(crate) const REFUSED: &[ConditionalNeed] = &[
    ("iam:CreateRole", ROLE, &[]),
    ("iam:CreateRole", ROLE, &[("iam:PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess")]),
    ("iam:PutRolePolicy", ROLE, &[]),
    ("iam:DeleteRolePermissionsBoundary", ROLE, WITHIN_BOUNDARY),
    ("iam:PassRole", ROLE, &[("iam:PassedToService", "ec2.amazonaws.com")]),
    ("iam:CreateUser", "arn:aws:iam::123456789012:user/STACK-x", &[]),
    ("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/STACK-x", &[]),
    ("iam:CreateRole", "arn:aws:iam::123456789012:role/other", WITHIN_BOUNDARY),
    ("iam:CreatePolicyVersion", "BOUNDARY", &[]),
    ("iam:UpdateAssumeRolePolicy", "arn:aws:iam::123456789012:role/DEPLOYER-DeployRole-1A2B3C", &[]),
    ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/DEPLOYER-ServiceRole-1A2B3C", WITHIN_BOUNDARY),
    ("lambda:AddPermission", FUNCTION, &[("lambda:Principal", "999999999999")]),
    ("lambda:InvokeFunction", FUNCTION, &[]),
    ("lambda:CreateEventSourceMapping", MAPPING, &[]),
    ("dynamodb:GetItem", "arn:aws:dynamodb:eu-central-1:123456789012:table/STACK-Table-1A2B3C", &[]),
    ("dynamodb:Scan", "arn:aws:dynamodb:eu-central-1:123456789012:table/STACK-Table-1A2B3C", &[]),
    ("dynamodb:DeleteTable", "arn:aws:dynamodb:eu-central-1:123456789012:table/other", &[]),
    ("sqs:SendMessage", QUEUE, &[]),
    ("sqs:PurgeQueue", QUEUE, &[]),
    ("logs:GetLogEvents", LOGS, &[]),
    ("s3:PutObject", "arn:aws:s3:::deployer-codebucket-1a2b3c/one", &[]),
    (
        "secretsmanager:GetSecretValue",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:membermail/mail-d4E5f6",
        &[],
    ),
    ("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/ZOTHER", &[]),
];
