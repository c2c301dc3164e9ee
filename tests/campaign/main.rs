//! The campaign.
fn main() {}
