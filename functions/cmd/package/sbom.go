package main

import (
	"debug/buildinfo"
	"os"
	"runtime/debug"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// component is a part of an artefact (CycloneDX 1.6, "components").
type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl,omitzero"`
}

// bill is a software bill of materials in CycloneDX. It has neither serial number nor time, which would differ each
// time.
type bill struct {
	Format   string      `json:"bomFormat"`
	Spec     string      `json:"specVersion"`
	Version  int         `json:"version"`
	Metadata metadata    `json:"metadata"`
	Parts    []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

// writeSBOM lists what the linker put into a binary: the Go toolchain's library and every module, by what the binary
// says.
func writeSBOM(out string, a artefact, version, binary string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	b := bill{Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata: metadata{component{"application", a.name, version, "pkg:golang/" + info.Path + "@" + version}},
		Parts:    []component{{"library", "std", info.GoVersion, "pkg:golang/std@" + info.GoVersion}}}
	for _, m := range info.Deps {
		b.Parts = append(b.Parts, componentOf(m))
	}
	raw, err := json.Marshal(b, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(raw, '\n'), 0o644)
}

func componentOf(m *debug.Module) component {
	if m.Replace != nil {
		m = m.Replace
	}
	return component{"library", m.Path, m.Version, "pkg:golang/" + m.Path + "@" + m.Version}
}
