//! This package is empty. Its `Cargo.toml` has the features that tests, benchmarks and the feature `s3` need of crates
//! that the library also uses. As a member of the workspace it turns them on in every build of the workspace, so that
//! `make demo`, `make build` and `make lint` share compiled crates. Shipped artefacts are built package by package,
//! without these features.
