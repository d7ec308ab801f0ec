//! Changes of a deployed function's environment.

use anyhow::{Context, Result};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::{Environment, LastUpdateStatus, State};

use crate::wait::{TIMEOUT, until};

/// Changes a variable of a function, and publishes a version for its aliases, which the API invokes.
pub async fn set_variable(lambda: &Client, name: &str, variable: &str, value: &str) -> Result<()> {
    let current = lambda.get_function_configuration().function_name(name).send().await?;
    let variables = current.environment.and_then(|environment| environment.variables).unwrap_or_default();
    if variables.get(variable).is_some_and(|current| current == value) {
        return Ok(());
    }
    let environment = Environment::builder().set_variables(Some(variables));
    let environment = environment.variables(variable, value).build();
    lambda.update_function_configuration().function_name(name).environment(environment).send().await?;
    until("the update", TIMEOUT, async || {
        let now = lambda.get_function_configuration().function_name(name).send().await?;
        Ok((now.last_update_status != Some(LastUpdateStatus::InProgress)).then_some(()))
    })
    .await?;
    let aliases = lambda.list_aliases().function_name(name).send().await?.aliases.unwrap_or_default();
    for alias in aliases.iter().filter_map(|alias| alias.name.as_deref()) {
        let published = lambda.publish_version().function_name(name).send().await?;
        let version = published.version.context("a version without a number")?;
        until("the version", TIMEOUT, async || {
            let now = lambda.get_function_configuration().function_name(name).qualifier(&version).send().await?;
            Ok((now.state != Some(State::Pending)).then_some(()))
        })
        .await?;
        lambda.update_alias().function_name(name).name(alias).function_version(version).send().await?;
    }
    Ok(())
}
