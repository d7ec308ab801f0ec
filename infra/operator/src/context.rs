//! The context that every command gets.

use crate::deployment::Deployment;
use crate::operator::Operator;
use crate::output::Output;

/// The deployment, the operator, and the output format.
pub(crate) struct Context {
    pub(crate) deployment: Deployment,
    pub(crate) operator: Operator,
    pub(crate) output: Output,
}
