package product

import (
	"bytes"
	"debug/buildinfo"

	"github.com/CycloneDX/cyclonedx-go"
)

// Materials is the software bill of materials of a program in CycloneDX's JSON: the modules that Go has linked into it, by the
// checksums that it has noted. It has no time and no number of its own, so that the same program has the same.
func Materials(program, version string) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	bom := cyclonedx.NewBOM()
	own := component(info.Main.Path, version)
	own.Type = cyclonedx.ComponentTypeApplication
	bom.Metadata = &cyclonedx.Metadata{Component: &own}
	components := []cyclonedx.Component{component("std", info.GoVersion)}
	uses := []string{components[0].BOMRef}
	for _, module := range info.Deps {
		for module.Replace != nil {
			module = module.Replace
		}
		c := component(module.Path, module.Version)
		c.Properties = &[]cyclonedx.Property{{Name: "go:sum", Value: module.Sum}}
		components = append(components, c)
		uses = append(uses, c.BOMRef)
	}
	bom.Components = &components
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: own.BOMRef, Dependencies: &uses}}
	var text bytes.Buffer
	encoder := cyclonedx.NewBOMEncoder(&text, cyclonedx.BOMFileFormatJSON)
	encoder.SetPretty(true)
	err = encoder.Encode(bom)
	return text.Bytes(), err
}

// component is a Go module, named as package URLs name it.
func component(path, version string) cyclonedx.Component {
	url := "pkg:golang/" + path + "@" + version
	return cyclonedx.Component{BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url}
}
