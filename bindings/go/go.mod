module github.com/lambda-executor/lambda-executor/bindings/go

go 1.23
