//! Empty. The features in this package's `Cargo.toml` are those that tests, benchmarks and the feature `s3` ask of
//! crates that the library uses too. As a member of the workspace it turns them on in every build of the workspace, so
//! that `make demo`, `make build` and `make lint` share all that they compile. Shipped artefacts are built package by
//! package, without them.
