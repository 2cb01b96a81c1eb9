package harness

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"golang.org/x/crypto/poly1305" //lint:ignore SA1019 it is what restic signs by
	"golang.org/x/crypto/scrypt"
)

// resticRepository returns the files of a new, empty repository as restic makes it, by their paths: but that a password gives its
// key at once, of which restic makes half a second of work, each time that it runs. Its files are as restic's page on its
// design says.
func resticRepository(password string) (files map[string][]byte, err error) {
	salt, master := random(64), random(64)
	derived, err := scrypt.Key([]byte(password), salt, 2, 1, 1, 64)
	if err != nil {
		return nil, err
	}
	key, err := json.Marshal(map[string]any{
		"mac":     map[string]any{"k": master[32:48], "r": master[48:]},
		"encrypt": master[:32],
	})
	if err != nil {
		return nil, err
	}
	file, err := json.Marshal(map[string]any{"kdf": "scrypt", "N": 2, "r": 1, "p": 1, "salt": salt, "data": sealed(derived, key)})
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`{"version":2,"id":"%x","chunker_polynomial":"25b468838dcb75"}`, random(32))
	return map[string][]byte{
		"config": sealed(master, []byte(config)),
		fmt.Sprintf("keys/%x", sha256.Sum256(file)): file,
	}, nil
}

// sealed encrypts a text by AES-256, and signs it by Poly1305-AES, with a key that has 32 bytes for the one and twice 16 for the
// other.
func sealed(key, text []byte) []byte {
	nonce := random(aes.BlockSize)
	encrypts, _ := aes.NewCipher(key[:32]) // which fails for other lengths alone
	signs, _ := aes.NewCipher(key[32:48])
	encrypted := make([]byte, len(text))
	cipher.NewCTR(encrypts, nonce).XORKeyStream(encrypted, text)
	var once [32]byte
	copy(once[:16], key[48:])
	signs.Encrypt(once[16:], nonce)
	var signature [poly1305.TagSize]byte
	poly1305.Sum(&signature, encrypted, &once)
	return append(append(nonce, encrypted...), signature[:]...)
}

func random(length int) []byte {
	bytes := make([]byte, length)
	_, _ = rand.Read(bytes) // it never fails
	return bytes
}
