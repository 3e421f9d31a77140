package main

import (
	"path/filepath"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
)

// demoLayout writes the layout of the in-toto demo: a Metablock unsigned, for `in-toto-golang sign`; a DSSE envelope signed,
// because that command cannot load an envelope without signatures.
func demoLayout(out, container, expires, keys string) error {
	bob, err := publicKey(keys, "bob")
	if err != nil {
		return err
	}
	carl, err := publicKey(keys, "carl")
	if err != nil {
		return err
	}
	disallow := []string{"DISALLOW", "*"}
	fromPackage := []string{"MATCH", "demo-project.tar.gz", "WITH", "PRODUCTS", "FROM", "package"}
	layout := intoto.Layout{
		Type: "layout",
		Steps: []intoto.Step{
			step("clone", bob, []string{"git", "clone", "--quiet", "../../upstream", "demo-project"}, [][]string{}, [][]string{
				{"CREATE", "demo-project/foo.py"}, disallow,
			}),
			step("update-version", bob, []string{"sed", "-i", "s/foo-v0/foo-v1/", "demo-project/foo.py"}, [][]string{
				{"MATCH", "demo-project/*", "WITH", "PRODUCTS", "FROM", "clone"}, disallow,
			}, [][]string{{"MODIFY", "demo-project/foo.py"}, disallow}),
			step("package", carl, []string{"tar", "zcf", "demo-project.tar.gz", "--exclude", ".git", "demo-project"}, [][]string{
				{"MATCH", "demo-project/*", "WITH", "PRODUCTS", "FROM", "update-version"}, disallow,
			}, [][]string{{"CREATE", "demo-project.tar.gz"}, disallow}),
		},
		Inspect: []intoto.Inspection{{
			Type: "inspection",
			Run:  []string{"tar", "xzf", "demo-project.tar.gz"},
			SupplyChainItem: intoto.SupplyChainItem{
				Name:              "untar",
				ExpectedMaterials: [][]string{fromPackage, disallow},
				ExpectedProducts: [][]string{
					fromPackage,
					{"MATCH", "demo-project/foo.py", "WITH", "PRODUCTS", "FROM", "update-version"},
					disallow,
				},
			},
		}},
		Keys:    map[string]intoto.Key{bob.KeyID: bob, carl.KeyID: carl},
		Expires: expires,
		Readme:  "The in-toto demo",
	}
	if container == "dsse" {
		envelope := &intoto.Envelope{}
		if err := envelope.SetPayload(layout); err != nil {
			return err
		}
		var alice intoto.Key
		if err := alice.LoadKeyDefaults(filepath.Join(keys, "alice")); err != nil {
			return err
		}
		if err := envelope.Sign(alice); err != nil {
			return err
		}
		return envelope.Dump(out)
	}
	block := intoto.Metablock{Signed: layout, Signatures: []intoto.Signature{}}
	return block.Dump(out)
}

func step(name string, by intoto.Key, command []string, materials, products [][]string) intoto.Step {
	return intoto.Step{
		Type:            "step",
		PubKeys:         []string{by.KeyID},
		ExpectedCommand: command,
		Threshold:       1,
		SupplyChainItem: intoto.SupplyChainItem{Name: name, ExpectedMaterials: materials, ExpectedProducts: products},
	}
}

func publicKey(directory, name string) (intoto.Key, error) {
	var key intoto.Key
	err := key.LoadKeyDefaults(filepath.Join(directory, name+".pub"))
	return key, err
}
