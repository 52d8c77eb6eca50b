//go:build !static

package lambdaexecutor

// #cgo pkg-config: lambda_executor
import "C"
