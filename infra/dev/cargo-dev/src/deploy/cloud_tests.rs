use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use aws_sdk_cloudformation::config::{BehaviorVersion, Credentials, Region};
use axum::extract::{Form, State};
use axum::routing::post;
use tokio::net::TcpListener;

use super::*;

/// A CloudFormation that gives prepared answers in their order, the last one for ever, and records the actions.
#[derive(Clone, Default)]
struct Fake {
    answers: Arc<Mutex<BTreeMap<&'static str, Vec<String>>>>,
    actions: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn with(self, action: &'static str, results: &[&str]) -> Self {
        let answers = results
            .iter()
            .rev()
            .map(|result| format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"));
        self.answers.lock().unwrap().insert(action, answers.collect());
        self
    }

    fn answer(&self, action: &str) -> String {
        self.actions.lock().unwrap().push(action.to_owned());
        let mut answers = self.answers.lock().unwrap();
        match answers.get_mut(action) {
            Some(prepared) if prepared.len() > 1 => prepared.pop().unwrap(),
            Some(prepared) => prepared[0].clone(),
            None => format!("<{action}Response><{action}Result/></{action}Response>"),
        }
    }

    fn count(&self, action: &str) -> usize {
        self.actions.lock().unwrap().iter().filter(|done| *done == action).count()
    }

    async fn client(&self) -> Client {
        let handler = |State(fake): State<Self>, Form(request): Form<HashMap<String, String>>| async move {
            fake.answer(&request["Action"])
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().route("/", post(handler)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let config =
            aws_config::defaults(BehaviorVersion::v2026_01_12()).endpoint_url(url).region(Region::new("eu-west-1"));
        let config = config.credentials_provider(Credentials::new("test", "test", None, None, "test"));
        Client::new(&config.load().await)
    }
}

fn target() -> Target {
    Target { stack: "mm".to_owned(), region: "eu-west-1".to_owned(), profile: None }
}

fn change_set() -> ChangeSet {
    ChangeSet { id: "change-set".to_owned(), stack_id: "stack".to_owned(), changes: Vec::new() }
}

fn stack(status: &str) -> String {
    format!("<Stacks><member><StackName>mm</StackName><StackStatus>{status}</StackStatus></member></Stacks>")
}

fn event(id: &str, logical_id: &str, status: &str, reason: &str) -> String {
    format!(
        "<member><EventId>{id}</EventId><LogicalResourceId>{logical_id}</LogicalResourceId>\
         <ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason></member>"
    )
}

fn events(newest_first: &[String]) -> String {
    format!("<StackEvents>{}</StackEvents>", newest_first.concat())
}

async fn execute(fake: &Fake) -> Result<Stack> {
    let target = target();
    Cloud { client: fake.client().await, target: &target }.execute(&change_set(), |_| {}).await
}

#[tokio::test]
async fn failed_creation_names_the_cause() {
    let review = event("1", "mm", "REVIEW_IN_PROGRESS", "");
    let failed = event("2", "Table", "CREATE_FAILED", "Limit of tables exceeded");
    let cancelled = event("3", "Queue", "CREATE_FAILED", "Resource creation cancelled");
    let fake = Fake::default()
        .with(
            "DescribeStackEvents",
            &[&events(std::slice::from_ref(&review)), &events(&[cancelled, failed, review.clone()])],
        )
        .with(
            "DescribeStacks",
            &[&stack("CREATE_IN_PROGRESS"), &stack("ROLLBACK_IN_PROGRESS"), &stack("ROLLBACK_COMPLETE")],
        );
    let error = execute(&fake).await.unwrap_err().to_string();
    let expected = "the deployment failed; the stack mm is ROLLBACK_COMPLETE\n  Table: Limit of tables exceeded";
    assert_eq!(error, expected);
}

/// Right after the start, CloudFormation still reports the end of the last operation.
#[tokio::test]
async fn former_status_is_not_the_result() {
    let former = event("1", "mm", "CREATE_COMPLETE", "");
    let started = event("2", "mm", "UPDATE_IN_PROGRESS", "");
    let former = events(&[former]);
    let fake = Fake::default()
        .with("DescribeStackEvents", &[&former, &former, &events(&[started])])
        .with("DescribeStacks", &[&stack("CREATE_COMPLETE"), &stack("UPDATE_IN_PROGRESS"), &stack("UPDATE_COMPLETE")]);
    let done = execute(&fake).await.unwrap();
    assert_eq!(done.stack_status(), Some(&StackStatus::UpdateComplete));
    assert_eq!(fake.count("ExecuteChangeSet"), 1);
}

async fn create(status: &str) -> (Fake, Result<Option<ChangeSet>>) {
    let fake = Fake::default()
        .with("CreateChangeSet", &["<Id>change-set</Id><StackId>stack</StackId>"])
        .with("DescribeChangeSet", &["<Status>CREATE_PENDING</Status>", status]);
    let (target, parameters, tags) = (target(), Parameters::default(), Values::new());
    let cloud = Cloud { client: fake.client().await, target: &target };
    let kind = ChangeSetType::Update;
    let request = Request { kind, template_url: "https://template", parameters: &parameters, tags: &tags, role: None };
    let created = cloud.create_change_set("name", &request).await;
    (fake, created)
}

#[tokio::test]
async fn empty_change_set_is_deleted() {
    let empty = "<Status>FAILED</Status><StatusReason>No updates are to be performed.</StatusReason>";
    let (fake, created) = create(empty).await;
    assert!(created.unwrap().is_none());
    assert_eq!(fake.count("DeleteChangeSet"), 1);
}

#[tokio::test]
async fn rejected_template_is_reported() {
    let rejected = "<Status>FAILED</Status><StatusReason>Transform AWS::Serverless-2016-10-31 failed</StatusReason>";
    let error = create(rejected).await.1.unwrap_err().to_string();
    assert_eq!(error, "CloudFormation rejects the template: Transform AWS::Serverless-2016-10-31 failed");
}

#[tokio::test]
async fn changes_are_read_from_the_change_set() {
    let change = "<Status>CREATE_COMPLETE</Status><Changes><member><ResourceChange><Action>Modify</Action>\
                  <LogicalResourceId>Table</LogicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType>\
                  <Replacement>True</Replacement></ResourceChange></member></Changes>";
    let change_set = create(change).await.1.unwrap().unwrap();
    assert_eq!((change_set.id.as_str(), change_set.stack_id.as_str()), ("change-set", "stack"));
    assert_eq!(crate::deploy::changes::summary(&change_set.changes), "0 to add, 1 to modify, 0 to remove");
    assert!(crate::deploy::changes::data_loss(&change_set.changes).is_some());
}
