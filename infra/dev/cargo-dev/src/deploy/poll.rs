//! Pauses between requests for a status.

use std::time::Duration;

/// Short pauses first, for quick operations.
const FIRST: Duration = Duration::from_millis(100);
/// CloudFormation throttles more frequent requests.
const LONGEST: Duration = Duration::from_secs(3);

/// Growing pauses.
#[derive(Debug)]
pub(crate) struct Poll {
    pause: Duration,
}

impl Poll {
    pub(crate) fn new() -> Self {
        Self { pause: FIRST }
    }

    /// Waits for the next request.
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.next()).await;
    }

    fn next(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 3 / 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_limit() {
        let mut poll = Poll::new();
        let pauses: Vec<_> = (0..12).map(|_| poll.next()).collect();
        assert_eq!((pauses[0], pauses[1]), (FIRST, Duration::from_millis(150)));
        assert_eq!(pauses[11], LONGEST);
    }
}
