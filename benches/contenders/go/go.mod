module github.com/lambda-executor/lambda-executor/benches/contenders/go

go 1.23

require github.com/lambda-executor/lambda-executor/bindings/go v0.0.0

replace github.com/lambda-executor/lambda-executor/bindings/go => ../../../bindings/go
