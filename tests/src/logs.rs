//! The logs of the functions: one JSON line per event, and lines of metrics.

use anyhow::Result;
use serde_json::Value;

use crate::stack::Stack;
use crate::wait::{TIMEOUT, until};

/// The stack of the tests; a test that deploys creates another one.
const STACK: &str = "membermail";

impl Stack {
    /// All JSON lines of a function, by its logical id in the template. Other lines come from the runtime.
    pub fn log_of(&self, function: &str) -> Result<Vec<Value>> {
        self.log_of_stack(STACK, function)
    }

    /// The same for a function of another stack on the same emulator.
    pub fn log_of_stack(&self, stack: &str, function: &str) -> Result<Vec<Value>> {
        let mut lines = Vec::new();
        for file in std::fs::read_dir(&self.logs)? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            if name.starts_with(&format!("{stack}-{function}-")) {
                let text = std::fs::read_to_string(file.path())?;
                lines.extend(text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()));
            }
        }
        Ok(lines)
    }

    /// Waits for a line of a function.
    pub async fn wait_for_log(&self, function: &str, what: &str, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        until(&format!("{what} in the log of {function}"), TIMEOUT, async || {
            Ok(self.log_of(function)?.into_iter().find(&is_it))
        })
        .await
    }

    /// Waits for a line of metrics with these members.
    pub async fn wait_for_metrics(&self, function: &str, members: &[(&str, Value)]) -> Result<Value> {
        self.wait_for_log(function, &format!("a measure with {members:?}"), |line| {
            line["message"].is_null() && members.iter().all(|(name, value)| line.get(name) == Some(value))
        })
        .await
    }
}
