//! The three calls of the loop.

/// Any error ends the program.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A message of the results queue.
pub struct Message {
    pub body: String,
    pub receipt: String,
}

/// A client of Lambda and SQS.
pub trait Client: 'static {
    /// A connection, or what a client has in its place. One call at a time.
    type Lane;
    fn lane(&self) -> Self::Lane;
    async fn invoke(&self, lane: &mut Self::Lane, event: Vec<u8>) -> Result<()>;
    /// Waits up to 20 s for messages.
    async fn receive(&self, lane: &mut Self::Lane) -> Result<Vec<Message>>;
    /// At most ten.
    async fn delete(&self, lane: &mut Self::Lane, receipts: &[String]) -> Result<()>;
}
