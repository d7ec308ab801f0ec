//! Netstrings, `LENGTH:DATA,`, which both ways of the socketmap protocol are made of (socketmap_table(5), PROTOCOL).
//!
//! Pure, and begun again from the start of the buffer whenever more has arrived: the length is at most five digits, so
//! that costs nothing, and there is no state that a peer could bring out of step.

/// Octets of data at most. Postfix would take 100,000, but no address comes near this, and it bounds what a peer can
/// make us hold.
pub const LARGEST: usize = 10_000;

/// What is at the start of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read<'a> {
    /// So far it can become a netstring.
    Incomplete,
    /// There is a whole one.
    Complete {
        /// What it holds.
        data: &'a [u8],
        /// Octets that it takes in the buffer; the next one begins behind them.
        taken: usize,
    },
}

/// No netstring, whatever may follow. The connection is of no more use: nobody knows where the next one would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not begin with a length in digits, without zeros before it, and a colon.
    #[error("no length")]
    Length,
    /// More than [`LARGEST`].
    #[error("too long")]
    TooLong,
    /// What follows the data is no comma.
    #[error("no comma")]
    Comma,
}

/// Reads what is at the start of `buffer`.
pub fn read(buffer: &[u8]) -> Result<Read<'_>, Fault> {
    let mut length = 0;
    let mut digits = 0;
    let colon = loop {
        match buffer.get(digits) {
            None => return Ok(Read::Incomplete),
            Some(b':') if digits > 0 => break digits,
            Some(digit @ b'0'..=b'9') if digits == 0 || length > 0 => {
                length = length * 10 + usize::from(digit - b'0');
                digits += 1;
            }
            Some(_) => return Err(Fault::Length),
        }
        if length > LARGEST {
            return Err(Fault::TooLong);
        }
    };
    let data = colon + 1..colon + 1 + length;
    match (buffer.get(data.clone()), buffer.get(data.end)) {
        (Some(found), Some(b',')) => Ok(Read::Complete { data: found, taken: data.end + 1 }),
        (Some(_), Some(_)) => Err(Fault::Comma),
        _ => Ok(Read::Incomplete),
    }
}

/// Writes `data` as a netstring behind what is in `buffer`.
pub fn write(data: &[u8], buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(data.len().to_string().as_bytes());
    buffer.push(b':');
    buffer.extend_from_slice(data);
    buffer.push(b',');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[rstest::rstest]
    #[case::whole(b"5:alice,", Ok(Read::Complete { data: b"alice", taken: 8 }))]
    #[case::empty(b"0:,", Ok(Read::Complete { data: b"", taken: 3 }))]
    #[case::followed(b"1:a,1:b,", Ok(Read::Complete { data: b"a", taken: 4 }))]
    #[case::holds_anything(b"3:,:\0,", Ok(Read::Complete { data: b",:\0", taken: 6 }))]
    #[case::nothing_yet(b"", Ok(Read::Incomplete))]
    #[case::in_the_length(b"12", Ok(Read::Incomplete))]
    #[case::in_the_data(b"5:ali", Ok(Read::Incomplete))]
    #[case::before_the_comma(b"5:alice", Ok(Read::Incomplete))]
    #[case::negative(b"-5:alice,", Err(Fault::Length))]
    #[case::signed(b"+5:alice,", Err(Fault::Length))]
    #[case::no_length(b":alice,", Err(Fault::Length))]
    #[case::zero_before(b"05:alice,", Err(Fault::Length))]
    #[case::two_zeros(b"00:,", Err(Fault::Length))]
    #[case::hexadecimal(b"0x5:alice,", Err(Fault::Length))]
    #[case::space(b" 5:alice,", Err(Fault::Length))]
    #[case::another_protocol(b"GET / HTTP/1.1\r\n", Err(Fault::Length))]
    #[case::largest(b"10000:", Ok(Read::Incomplete))]
    #[case::too_long(b"10001:", Err(Fault::TooLong))]
    #[case::too_long_before_its_end(b"99999999999999999999999999", Err(Fault::TooLong))]
    #[case::no_comma(b"5:alice;", Err(Fault::Comma))]
    #[case::longer_than_told(b"2:alice,", Err(Fault::Comma))]
    fn at_the_start(#[case] buffer: &[u8], #[case] expected: Result<Read<'_>, Fault>) {
        assert_eq!(read(buffer), expected);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(data in proptest::collection::vec(any::<u8>(), 0..=300), more: Vec<u8>) {
            let mut buffer = Vec::new();
            write(&data, &mut buffer);
            let taken = buffer.len();
            buffer.extend(more);
            prop_assert_eq!(read(&buffer), Ok(Read::Complete { data: &data, taken }));
        }

        /// However the octets arrive, the outcome is the one of having them all; and a fault stays one.
        #[test]
        fn more_never_changes_what_was_decided(buffer in proptest::collection::vec(prop_oneof![
            Just(b':'), Just(b','), b'0'..=b'9', any::<u8>()], 0..40)) {
            let whole = read(&buffer);
            for end in 0..buffer.len() {
                match read(&buffer[..end]) {
                    Ok(Read::Incomplete) => {}
                    early => prop_assert_eq!(early, whole),
                }
            }
        }
    }
}
