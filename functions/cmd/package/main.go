// Command package makes what is deployed, the same bytes on every machine: no time, path or name of this one gets in.
//
//	go build ─▶ bootstrap ─▶ ingest-aws.zip (arm64), ingest-aws-amd64.zip
//	         ─▶ handler   ─▶ azure.zip, with host.json and a function.json per function
//	         ─▶ ingest-gcp ─▶ ingest-gcp.tar, an OCI image of one layer: the binary and the roots of TLS
//	                └─▶ *.cdx.json (SBOM of each) ─▶ SHA256SUMS
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("o", "dist", "directory of the artefacts")
	version := flag.String("version", "dev", "version that the binaries name")
	flag.Parse()
	if err := packArtifact(*out, *version, artefacts); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

// artefact is one thing that is deployed.
type artefact struct {
	name    string // of its file
	command string // below functions/cmd
	arch    string
	wrap    func(out, binary string) error
}

var artefacts = []artefact{
	{"ingest-aws.zip", "ingest-aws", "arm64", wrapLambda},
	{"ingest-aws-amd64.zip", "ingest-aws", "amd64", wrapLambda},
	{"azure.zip", "azure", "amd64", wrapFunctions},
	{"ingest-gcp.tar", "ingest-gcp", "amd64", wrapImage},
}
