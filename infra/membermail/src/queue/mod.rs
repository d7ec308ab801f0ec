//! `membermail queue …`: the dead-letter queues, where messages end that could not be handled.

mod dead_letters;
mod letters;
mod redrive;
mod view;

use crate::Context;
use crate::failure::Failure;
use dead_letters::{find, list};
use letters::Letters;
use view::{ListView, RedriveView, ShowView};

/// What to do about dead letters.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List every dead-letter queue of the stack, and how many messages are in it
    List,
    /// Print the messages of a dead-letter queue; they stay where they are
    Show {
        /// As `queue list` names it, or the URL of a dead-letter queue
        queue: String,
        /// So many messages at most
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        most: u64,
    },
    /// Send the messages of a dead-letter queue back to where they came from
    Redrive(redrive::Options),
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.place.sqs();
    match command {
        Command::List => {
            let queues = list(&context.place, &client).await?;
            context.output.show(&ListView { queues })
        }
        Command::Show { queue, most } => {
            let queue = find(&context.place, &client, &queue).await?;
            let mut letters = Letters::new(&client, &queue.url);
            let received = letters.receive_all(most, |_| {}).await;
            // Seen or not: none of them is kept from whoever wants to redrive it.
            letters.give_back().await;
            received?;
            context.output.show(&ShowView::new(queue.name, letters.into_messages()))
        }
        Command::Redrive(options) => {
            let queue = find(&context.place, &client, options.queue()).await?;
            let name = queue.name.clone();
            let (moved, way) = redrive::redrive(context, &client, &queue, &options).await?;
            context.output.show(&RedriveView { queue: name, moved, way })
        }
    }
}
