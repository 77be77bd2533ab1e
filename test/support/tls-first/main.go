// Asks a registry for /v2/ as containerd's client does: by TLS, and by plain HTTP if the answer to TLS is HTTP.
//
// The condition is that of httpFallback in containerd 2.1 (core/remotes/docker/resolver.go).
package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Usage: tls-first <host:port> <newest TLS version: 1.0, 1.2 or 1.3>
func main() {
	address := os.Args[1]
	versions := map[string]uint16{"1.0": tls.VersionTLS10, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: versions[os.Args[2]]}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 10 * time.Second}

	connection, err := tls.Dial("tcp", address, config)
	if err == nil {
		connection.Close()
		fmt.Println("TLS")
		return
	}
	var record tls.RecordHeaderError
	if !errors.As(err, &record) {
		fmt.Println("final:", err)
		return
	}
	fmt.Printf("%s ", record.RecordHeader)
	if string(record.RecordHeader[:]) != "HTTP/" {
		return
	}
	answer, err := client.Get("http://" + address + "/v2/")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.StatusCode)
}
