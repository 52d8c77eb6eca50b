//! Pages of `docs/` that are generated from tables in the code. Each test fails where its page is out of date;
//! `UPDATE=1 cargo test --workspace --test generated_docs` writes the pages.

mod errors;
mod page;
