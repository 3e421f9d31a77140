package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
)

// person is somebody with a key; a functionary may have a certificate of it.
type person struct {
	secret, public intoto.Key
}

func load(directory, name string) (person, error) {
	var who person
	if err := who.secret.LoadKeyDefaults(filepath.Join(directory, name)); err != nil {
		return who, err
	}
	certificate, err := os.ReadFile(filepath.Join(directory, name+".pem"))
	if err == nil {
		who.secret.KeyVal.Certificate = string(certificate)
		return who, nil
	}
	who.public, err = publicKey(directory, name)
	return who, err
}

// matrix writes small chains with the keys of one kind, one for each container and feature: OUT/CONTAINER/NAME/FEATURE with root.layout
// and links. Whose keys have certificates, needs layouts that name authorities, which others write.
func matrix(out, name, keys string) error {
	for _, container := range []string{"dsse", "metablock"} {
		for _, feature := range []string{"plain", "sublayout", "inspection", "parameters"} {
			if err := matrixChain(filepath.Join(out, container, name, feature), container, keys, feature); err != nil {
				return fmt.Errorf("%s %s %s: %w", container, name, feature, err)
			}
		}
	}
	return nil
}

func matrixChain(directory, container, keys, feature string) error {
	links := filepath.Join(directory, "links")
	if err := os.MkdirAll(links, 0o755); err != nil {
		return err
	}
	people := map[string]person{}
	for _, name := range []string{"alice", "bob", "carl"} {
		who, err := load(keys, name)
		if err != nil {
			return err
		}
		people[name] = who
	}
	bob, carl := people["bob"], people["carl"]
	dump := func(content any, path string, signer person) error {
		var metadata intoto.Metadata = &intoto.Metablock{Signed: content, Signatures: []intoto.Signature{}}
		if container == "dsse" {
			envelope := &intoto.Envelope{}
			if err := envelope.SetPayload(content); err != nil {
				return err
			}
			metadata = envelope
		}
		if err := metadata.Sign(signer.secret); err != nil {
			return err
		}
		return metadata.Dump(path)
	}
	link := func(name, below string, signer person, materials, products []string) error {
		content := intoto.Link{
			Type: "link", Name: name, Materials: digests(materials), Products: digests(products),
			ByProducts: map[string]any{}, Command: []string{}, Environment: map[string]any{},
		}
		return dump(content, filepath.Join(below, name+"."+signer.secret.KeyID[:8]+".link"), signer)
	}
	nothing := []string{"DISALLOW", "*"}
	foo := "foo"
	if feature == "parameters" {
		foo = "{FILE}"
	}
	created := [][]string{{"CREATE", foo}, nothing}
	packaged := [][]string{{"MATCH", "foo.tar", "WITH", "PRODUCTS", "FROM", "package"}, nothing}
	layout := intoto.Layout{
		Type: "layout",
		Steps: []intoto.Step{
			step("write", bob.public, []string{}, [][]string{nothing}, created),
			step("package", carl.public, []string{}, [][]string{{"MATCH", "foo", "WITH", "PRODUCTS", "FROM", "write"}, nothing}, [][]string{{"CREATE", "foo.tar"}, nothing}),
		},
		Inspect: []intoto.Inspection{},
		Keys:    map[string]intoto.Key{bob.public.KeyID: bob.public, carl.public.KeyID: carl.public},
		Expires: "2036-01-01T00:00:00Z",
	}
	if feature == "inspection" {
		layout.Inspect = []intoto.Inspection{{
			Type:            "inspection",
			Run:             []string{"true"},
			SupplyChainItem: intoto.SupplyChainItem{Name: "look", ExpectedMaterials: packaged, ExpectedProducts: packaged},
		}}
	}
	certified := bob.public.KeyID == ""
	if !certified {
		if err := dump(layout, filepath.Join(directory, "root.layout"), people["alice"]); err != nil {
			return err
		}
	}
	if feature != "sublayout" {
		if err := link("write", links, bob, nil, []string{"foo"}); err != nil {
			return err
		}
	} else if !certified {
		name := "write." + bob.public.KeyID[:8]
		below := filepath.Join(links, name)
		if err := os.Mkdir(below, 0o755); err != nil {
			return err
		}
		inner := intoto.Layout{
			Type:    "layout",
			Steps:   []intoto.Step{step("inner", carl.public, []string{}, [][]string{nothing}, created)},
			Inspect: []intoto.Inspection{},
			Keys:    map[string]intoto.Key{carl.public.KeyID: carl.public},
			Expires: "2036-01-01T00:00:00Z",
		}
		if err := dump(inner, below+".link", bob); err != nil {
			return err
		}
		if err := link("inner", below, carl, nil, []string{"foo"}); err != nil {
			return err
		}
	}
	return link("package", links, carl, []string{"foo"}, []string{"foo.tar"})
}

func digests(names []string) map[string]intoto.HashObj {
	all := map[string]intoto.HashObj{}
	for _, name := range names {
		sum := sha256.Sum256([]byte(name))
		all[name] = intoto.HashObj{"sha256": hex.EncodeToString(sum[:])}
	}
	return all
}

// judge reads questions, one line of JSON each, and answers each with a line: empty if the chain verifies, else the error.
func judge() error {
	log.SetOutput(io.Discard)
	stdout := os.Stdout
	// The library warns on stdout.
	devNull, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	os.Stdout = devNull
	questions := bufio.NewScanner(os.Stdin)
	for questions.Scan() {
		var question struct {
			Layout, Links, Owner, Here string
			Parameters                 map[string]string
			Intermediates              []string
		}
		if err := json.Unmarshal(questions.Bytes(), &question); err != nil {
			return err
		}
		verdict := ""
		if err := judgeOne(question.Layout, question.Links, question.Owner, question.Here, question.Parameters, question.Intermediates); err != nil {
			verdict = "refused: " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Fprintln(stdout, verdict)
	}
	return questions.Err()
}

func judgeOne(layout, links, owner, here string, parameters map[string]string, intermediates []string) error {
	if err := os.Chdir(here); err != nil {
		return err
	}
	metadata, err := intoto.LoadMetadata(layout)
	if err != nil {
		return err
	}
	var key intoto.Key
	if err := key.LoadKeyDefaults(owner); err != nil {
		return err
	}
	pems := [][]byte{}
	for _, path := range intermediates {
		pem, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pems = append(pems, pem)
	}
	_, err = intoto.InTotoVerify(metadata, map[string]intoto.Key{key.KeyID: key}, links, "", parameters, pems, false)
	return err
}
