//! Pages of `docs/` that are generated from tables in the code. Each test compares one page with its table; with
//! UPDATE=1 (`make docs`) it writes the page.

mod configuration;
mod errors;
mod page;
mod statistics;
