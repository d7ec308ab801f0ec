//! Netstrings, `LENGTH:DATA,`, the framing of the socketmap protocol (socketmap_table(5), PROTOCOL).
//!
//! The parser is stateless and restarts at the beginning of the buffer when more data arrives. The length has at most five
//! digits, so that costs nothing, and a peer cannot desynchronise it.

/// Maximum length of the data in bytes. Postfix allows 100,000, but addresses are far shorter, and this bounds the memory
/// per connection.
pub const MAX_LENGTH: usize = 10_000;

/// The start of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A valid prefix of a netstring.
    Incomplete,
    /// A whole netstring.
    Complete {
        /// Its data.
        data: &'a [u8],
        /// Length of the netstring in bytes, where the next one starts.
        consumed: usize,
    },
}

/// The buffer does not start with a netstring. The connection has to be closed: the start of the next one is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetstringError {
    /// No decimal length without leading zeros, followed by a colon.
    #[error("no length")]
    Length,
    /// Longer than [`MAX_LENGTH`].
    #[error("too long")]
    TooLong,
    /// The data is not followed by a comma.
    #[error("no comma")]
    Comma,
}

/// Parses the netstring at the start of `buffer`.
pub fn parse(buffer: &[u8]) -> Result<Parsed<'_>, NetstringError> {
    let mut length = 0;
    let mut digits = 0;
    let colon = loop {
        match buffer.get(digits) {
            None => return Ok(Parsed::Incomplete),
            Some(b':') if digits > 0 => break digits,
            Some(digit @ b'0'..=b'9') if digits == 0 || length > 0 => {
                length = length * 10 + usize::from(digit - b'0');
                digits += 1;
            }
            Some(_) => return Err(NetstringError::Length),
        }
        if length > MAX_LENGTH {
            return Err(NetstringError::TooLong);
        }
    };
    let data = colon + 1..colon + 1 + length;
    match (buffer.get(data.clone()), buffer.get(data.end)) {
        (Some(found), Some(b',')) => Ok(Parsed::Complete { data: found, consumed: data.end + 1 }),
        (Some(_), Some(_)) => Err(NetstringError::Comma),
        _ => Ok(Parsed::Incomplete),
    }
}

/// Appends `data` to `buffer` as a netstring.
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
    #[case::whole(b"5:alice,", Ok(Parsed::Complete { data: b"alice", consumed: 8 }))]
    #[case::empty(b"0:,", Ok(Parsed::Complete { data: b"", consumed: 3 }))]
    #[case::followed(b"1:a,1:b,", Ok(Parsed::Complete { data: b"a", consumed: 4 }))]
    #[case::holds_anything(b"3:,:\0,", Ok(Parsed::Complete { data: b",:\0", consumed: 6 }))]
    #[case::nothing_yet(b"", Ok(Parsed::Incomplete))]
    #[case::in_the_length(b"12", Ok(Parsed::Incomplete))]
    #[case::in_the_data(b"5:ali", Ok(Parsed::Incomplete))]
    #[case::before_the_comma(b"5:alice", Ok(Parsed::Incomplete))]
    #[case::negative(b"-5:alice,", Err(NetstringError::Length))]
    #[case::signed(b"+5:alice,", Err(NetstringError::Length))]
    #[case::no_length(b":alice,", Err(NetstringError::Length))]
    #[case::zero_before(b"05:alice,", Err(NetstringError::Length))]
    #[case::two_zeros(b"00:,", Err(NetstringError::Length))]
    #[case::hexadecimal(b"0x5:alice,", Err(NetstringError::Length))]
    #[case::space(b" 5:alice,", Err(NetstringError::Length))]
    #[case::another_protocol(b"GET / HTTP/1.1\r\n", Err(NetstringError::Length))]
    #[case::largest(b"10000:", Ok(Parsed::Incomplete))]
    #[case::too_long(b"10001:", Err(NetstringError::TooLong))]
    #[case::too_long_before_its_end(b"99999999999999999999999999", Err(NetstringError::TooLong))]
    #[case::no_comma(b"5:alice;", Err(NetstringError::Comma))]
    #[case::longer_than_declared(b"2:alice,", Err(NetstringError::Comma))]
    fn start_of_buffer_is_parsed(#[case] buffer: &[u8], #[case] expected: Result<Parsed<'_>, NetstringError>) {
        assert_eq!(parse(buffer), expected);
    }

    proptest! {
        #[test]
        fn written_netstring_is_parsed(data in proptest::collection::vec(any::<u8>(), 0..=300), more: Vec<u8>) {
            let mut buffer = Vec::new();
            write(&data, &mut buffer);
            let consumed = buffer.len();
            buffer.extend(more);
            prop_assert_eq!(parse(&buffer), Ok(Parsed::Complete { data: &data, consumed }));
        }

        /// A result other than `Incomplete` does not depend on the data that follows.
        #[test]
        fn more_data_changes_no_result(buffer in proptest::collection::vec(prop_oneof![
            Just(b':'), Just(b','), b'0'..=b'9', any::<u8>()], 0..40)) {
            let whole = parse(&buffer);
            for end in 0..buffer.len() {
                match parse(&buffer[..end]) {
                    Ok(Parsed::Incomplete) => {}
                    early => prop_assert_eq!(early, whole),
                }
            }
        }
    }
}
