package policy

import (
	"embed"
	"strings"
)

//go:embed presets/*.yaml
var presets embed.FS

// Presets lists the rule sets that come with the program beside the shipped one: practices of other
// places, as far as these are published. Each says at its head what is founded and what is not.
func Presets() []string {
	files, err := presets.ReadDir("presets")
	if err != nil {
		panic(err) // embedded
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f.Name(), ".yaml")
	}
	return names
}

// Preset gives the text of a preset, and false when there is none of this name.
func Preset(name string) ([]byte, bool) {
	source, err := presets.ReadFile("presets/" + name + ".yaml")
	return source, err == nil
}
