//! `membermail queue …`: dead-letter queues.

mod dead_letter_queue;
mod receiver;
mod redrive;
mod view;

use crate::context::Context;
use crate::failure::Failure;
use dead_letter_queue::{find, list};
use receiver::Receiver;
use view::{ListView, RedriveView, ShowView};

/// Commands for dead letters.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the dead-letter queues of the stack with their numbers of messages
    List,
    /// Print the messages of a dead-letter queue without removing them
    Show {
        /// The name from `queue list`, or the URL of a dead-letter queue
        queue: String,
        /// Maximum number of messages
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
    },
    /// Return the messages of a dead-letter queue to their source queue
    Redrive(redrive::Options),
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.deployment.sqs();
    match command {
        Command::List => {
            let queues = list(&context.deployment, &client).await?;
            context.output.show(&ListView { queues })
        }
        Command::Show { queue, limit } => {
            let queue = find(&context.deployment, &client, &queue).await?;
            let mut receiver = Receiver::new(&client, &queue.url);
            let received = receiver.receive_up_to(limit).await;
            // Also after an error, so that a redrive finds the messages.
            receiver.make_visible().await;
            received?;
            context.output.show(&ShowView::new(queue.name, receiver.into_messages()))
        }
        Command::Redrive(options) => {
            let queue = find(&context.deployment, &client, &options.queue).await?;
            let name = queue.name.clone();
            let (moved, method) = redrive::redrive(context, &client, &queue, &options).await?;
            context.output.show(&RedriveView { queue: name, moved, method })
        }
    }
}
