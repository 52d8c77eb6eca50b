//! Pages of `docs/` that are generated from tables in the code: each test compares one with its table, or with UPDATE=1
//! (`make docs`) writes it.

mod configuration;
mod errors;
mod page;
mod statistics;
