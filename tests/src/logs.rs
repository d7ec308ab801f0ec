//! What the functions logged: JSON, one line an event, and between these the lines of metrics.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::stack::Stack;
use crate::wait::until;

/// The name of the stack that the stories see; a test that deploys has one of its own beside it.
const STACK: &str = "membermail-";

impl Stack {
    /// All lines of a function, by its logical id in the template. What is no JSON is of the runtime itself.
    pub fn log_of(&self, function: &str) -> Result<Vec<Value>> {
        let mut lines = Vec::new();
        for file in std::fs::read_dir(&self.logs)? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            if name.starts_with(&format!("{STACK}{function}-")) {
                let text = std::fs::read_to_string(file.path())?;
                lines.extend(text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()));
            }
        }
        Ok(lines)
    }

    /// Waits for a line of a function.
    pub async fn logged(&self, function: &str, what: &str, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        until(&format!("{what} in the log of {function}"), Duration::from_secs(120), async || {
            Ok(self.log_of(function)?.into_iter().find(&is_it))
        })
        .await
    }

    /// Waits for a line of metrics with these members.
    pub async fn measured(&self, function: &str, members: &[(&str, Value)]) -> Result<Value> {
        let is_it = |line: &Value| {
            line["message"].is_null() && members.iter().all(|(name, value)| line.get(name) == Some(value))
        };
        self.logged(function, &format!("a measure with {members:?}"), is_it).await
    }
}
