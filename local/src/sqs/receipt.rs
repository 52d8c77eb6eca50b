//! Receipt handles. A handle identifies the queue, the message and the receive. So a handle of an earlier receive or of
//! another queue is recognised without state.

use super::errors::SqsError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const VERSION: u8 = 1;
const SIZE: usize = 1 + 8 + 8 + 4;

/// Content of a receipt handle.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Receipt {
    /// The queue's random number, which distinguishes queues of the same name.
    pub(super) queue: u64,
    /// The message's number in that queue.
    pub(super) message: u64,
    /// Number of the receive in that queue, from 1.
    pub(super) receive: u32,
}

impl Receipt {
    /// The opaque text for the client.
    pub(super) fn encode(self) -> String {
        let mut bytes = [0; SIZE];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.queue.to_be_bytes());
        bytes[9..17].copy_from_slice(&self.message.to_be_bytes());
        bytes[17..].copy_from_slice(&self.receive.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a handle of this queue. Other texts are the error `ReceiptHandleIsInvalid`.
    pub(super) fn decode(handle: &str, queue: u64) -> Result<Self, SqsError> {
        let mut bytes = [0; SIZE];
        match URL_SAFE_NO_PAD.decode_slice(handle, &mut bytes) {
            Ok(SIZE) if bytes[0] == VERSION => {}
            _ => return Err(SqsError::not_a_receipt()),
        }
        let long = |at: usize| {
            let mut part = [0; 8];
            part.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(part)
        };
        let mut receive = [0; 4];
        receive.copy_from_slice(&bytes[17..]);
        let receipt = Self { queue: long(1), message: long(9), receive: u32::from_be_bytes(receive) };
        if receipt.queue != queue {
            return Err(SqsError::not_a_receipt());
        }
        Ok(receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_decodes_to_its_parts() {
        let receipt = Receipt { queue: u64::MAX - 5, message: 77, receive: 3 };
        assert_eq!(Receipt::decode(&receipt.encode(), receipt.queue), Ok(receipt));
    }

    #[test]
    fn anything_else_is_refused() {
        let handle = Receipt { queue: 1, message: 2, receive: 3 }.encode();
        for bad in ["", "garbage", "g\u{e9}", &handle[1..], &format!("{handle}A"), &handle.repeat(20)] {
            assert!(Receipt::decode(bad, 1).is_err(), "{bad}");
        }
        assert!(Receipt::decode(&handle, 2).is_err(), "a handle of another queue");
    }
}
