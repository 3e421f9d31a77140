// A timestamp authority for tests: Sigstore's own server without its metrics, which it offers on one fixed port, so that a machine can
// run several; or, with --shift, a clock that goes wrong, which that server has not.
package main

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

const (
	path    = "/api/v1/timestamp"
	policy  = "1.3.6.1.4.1.57264.2"
	patient = 30 * time.Second
)

func main() {
	port := flag.Int("port", 0, "port on the loopback interface")
	key := flag.String("key", "", "the authority's key, PKCS#8 in PEM")
	chain := flag.String("chain", "", "its certificate and the root's, in PEM")
	shift := flag.Duration("shift", 0, "by how much the clock is wrong")
	flag.Parse()
	if *shift != 0 {
		wrong(*port, *key, *chain, *shift)
	}
	viper.Set("timestamp-signer", "file")
	viper.Set("timestamp-signer-hash", "sha256")
	viper.Set("file-signer-key-path", *key)
	viper.Set("certificate-chain-path", *chain)
	viper.Set("default-policy-oid", policy)
	viper.Set("accepted-policy-oids", []string{policy})
	viper.Set("include-chain-in-response", false)
	viper.Set("max-request-body-size", 1<<20)
	authority := server.NewRestAPIServer("127.0.0.1", *port, []string{"http"}, false, patient, patient)
	if err := authority.Serve(); err != nil {
		log.Fatal(err)
	}
}

func wrong(port int, keyFile, chainFile string, shift time.Duration) {
	signer := must(x509.ParsePKCS8PrivateKey(der(keyFile))).(crypto.Signer)
	leaf := must(x509.ParseCertificate(der(chainFile)))
	http.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		answer, err := stamp(r.Body, signer, leaf, time.Now().UTC().Add(shift))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(answer)
	})
	http.HandleFunc("/ping", func(http.ResponseWriter, *http.Request) {})
	at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	log.Fatal((&http.Server{Addr: at, ReadHeaderTimeout: patient}).ListenAndServe())
}

func stamp(body io.Reader, signer crypto.Signer, leaf *x509.Certificate, at time.Time) ([]byte, error) {
	asked, err := io.ReadAll(io.LimitReader(body, 1<<20))
	if err != nil {
		return nil, err
	}
	request, err := timestamp.ParseRequest(asked)
	if err != nil {
		return nil, err
	}
	token := timestamp.Timestamp{
		HashAlgorithm:     request.HashAlgorithm,
		HashedMessage:     request.HashedMessage,
		Time:              at,
		Nonce:             request.Nonce,
		Policy:            asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
		Accuracy:          time.Second,
		AddTSACertificate: request.Certificates,
	}
	return token.CreateResponseWithOpts(leaf, signer, crypto.SHA256)
}

// der is the first block of a PEM file.
func der(file string) []byte {
	block, _ := pem.Decode(must(os.ReadFile(file)))
	if block == nil {
		log.Fatalf("%s is no PEM", file)
	}
	return block.Bytes
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
