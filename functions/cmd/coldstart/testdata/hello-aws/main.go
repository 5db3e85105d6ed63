// Command hello-aws is the least a Lambda function can be: what ingest-aws is measured against.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context, any) (string, error) { return "hello", nil })
}
