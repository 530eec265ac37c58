// Checks trees, proofs, tiles and notes of this library by Go's golang.org/x/mod/sumdb. Reads them as JSON from the standard input.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type vectors struct {
	Leaves    [][]byte
	Roots     [][]byte
	Inclusion []struct {
		Index, Size int64
		Hashes      [][]byte
	}
	Consistency []struct {
		First, Second int64
		Hashes        [][]byte
	}
	Tiles []struct {
		Level, Width int
		Index        int64
		Bytes        []byte
	}
	Notes []struct{ Note, PublicKey, PrivateKey string }
}

type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = s[index]
	}
	return hashes, nil
}

func hash(b []byte) (h tlog.Hash) {
	copy(h[:], b)
	return h
}

func hashesOf(list [][]byte) (proof []tlog.Hash) {
	for _, b := range list {
		proof = append(proof, hash(b))
	}
	return proof
}

func check(ok bool, err error, format string, args ...any) {
	if ok && err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", fmt.Sprintf(format, args...), err)
	os.Exit(1)
}

func main() {
	var v vectors
	err := json.NewDecoder(os.Stdin).Decode(&v)
	check(true, err, "the input")
	var stored storage
	for n, leaf := range v.Leaves {
		hashes, err := tlog.StoredHashes(int64(n), leaf, stored)
		check(true, err, "leaf %d", n)
		stored = append(stored, hashes...)
		root, err := tlog.TreeHash(int64(n+1), stored)
		check(root == hash(v.Roots[n+1]), err, "the root at size %d", n+1)
	}
	for _, p := range v.Inclusion {
		proof, err := tlog.ProveRecord(p.Size, p.Index, stored)
		check(fmt.Sprint(proof) == fmt.Sprint(tlog.RecordProof(hashesOf(p.Hashes))), err, "the proof of leaf %d at size %d", p.Index, p.Size)
		err = tlog.CheckRecord(hashesOf(p.Hashes), p.Size, hash(v.Roots[p.Size]), p.Index, tlog.RecordHash(v.Leaves[p.Index]))
		check(true, err, "leaf %d at size %d", p.Index, p.Size)
	}
	for _, p := range v.Consistency {
		proof, err := tlog.ProveTree(p.Second, p.First, stored)
		check(fmt.Sprint(proof) == fmt.Sprint(tlog.TreeProof(hashesOf(p.Hashes))), err, "the proof from size %d to %d", p.First, p.Second)
		err = tlog.CheckTree(hashesOf(p.Hashes), p.Second, hash(v.Roots[p.Second]), p.First, hash(v.Roots[p.First]))
		check(true, err, "the tree from size %d to %d", p.First, p.Second)
	}
	for _, t := range v.Tiles {
		data, err := tlog.ReadTileData(tlog.Tile{H: 8, L: t.Level, N: t.Index, W: t.Width}, stored)
		check(bytes.Equal(data, t.Bytes), err, "tile %d at level %d", t.Index, t.Level)
	}
	for _, n := range v.Notes {
		verifier, err := note.NewVerifier(n.PublicKey)
		check(true, err, "the public key %s", n.PublicKey)
		opened, err := note.Open([]byte(n.Note), note.VerifierList(verifier))
		check(true, err, "the note %q", n.Note)
		signer, err := note.NewSigner(n.PrivateKey)
		check(true, err, "a private key")
		signed, err := note.Sign(&note.Note{Text: opened.Text}, signer)
		check(string(signed) == n.Note, err, "the note %q, signed by Go", n.Note)
	}
	fmt.Printf("%d leaves, %d inclusion proofs, %d consistency proofs, %d tiles and %d notes are as Go has them\n",
		len(v.Leaves), len(v.Inclusion), len(v.Consistency), len(v.Tiles), len(v.Notes))
}
