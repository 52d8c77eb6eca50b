//go:build linux && cgo && !static

package lambdaexecutor

// #cgo pkg-config: lambda_executor
import "C"
