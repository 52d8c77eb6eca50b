//go:build linux && cgo && static

package lambdaexecutor

// A package of its own: the linker prefers the shared library if both are installed, also with --static.

// #cgo pkg-config: lambda_executor-static
import "C"
