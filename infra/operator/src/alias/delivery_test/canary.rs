//! The canary of mail: a test mail whose outcome the public status page counts.

use jiff::Timestamp;
use membermail_core::clock::Clock;
use membermail_core::status::{Component, Sample};

use crate::context::Context;
use crate::failure::Failure;

/// Records whether the test mail was delivered. The failure of the test itself comes first, since it is the reason to look.
pub(super) async fn record(context: &Context, started: Timestamp, test: Result<(), Failure>) -> Result<(), Failure> {
    let Some(is_ok) = is_delivered(&test) else { return test };
    let sample = Sample { component: Component::Mail, is_ok, at: started };
    match (save(context, sample).await, test) {
        (Ok(()), test) => test,
        (Err(unsaved), Ok(())) => Err(unsaved),
        (Err(unsaved), Err(failure)) => {
            Err(Failure::Other(format!("{failure}; the status page does not know: {unsaved}")))
        }
    }
}

async fn save(context: &Context, sample: Sample) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    if store.record_sample(sample, context.operator.clock.now()).await? {
        context.output.note("counted for the status page");
    } else {
        context.output.note("not counted for the status page: it has a test of this quarter of an hour");
    }
    Ok(())
}

/// Whether mail works; none if the test says nothing about it, because it was not carried out.
fn is_delivered(test: &Result<(), Failure>) -> Option<bool> {
    match test {
        Ok(()) => Some(true),
        Err(Failure::Usage(_) | Failure::Output(_)) => None,
        Err(_) => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::delivered(Ok(()), Some(true))]
    #[case::waits(Err(Failure::Busy("not delivered after 60 s".to_owned())), Some(false))]
    #[case::no_mail_host(Err(Failure::Other("mail host localhost:25".to_owned())), Some(false))]
    #[case::unknown_address(Err(Failure::NotFound("address".to_owned())), Some(false))]
    #[case::wrong_option(Err(Failure::Usage("--sender".to_owned())), None)]
    #[case::closed_output(Err(Failure::Output(std::io::ErrorKind::BrokenPipe.into())), None)]
    fn only_test_of_mail_is_sample(#[case] test: Result<(), Failure>, #[case] expected: Option<bool>) {
        assert_eq!(is_delivered(&test), expected);
    }
}
