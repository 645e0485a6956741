// Package usual is what the exchange is held against: the same work written the
// way that most teams would write it first, and an aggregator that only asks and
// merges. They are measured, and nothing else.
package usual

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Grant is a right to ask for a dataset for a matter.
type Grant struct {
	ID         uint   `gorm:"primaryKey"`
	Department string `gorm:"index"`
	Matter     string
	Dataset    string
	Fields     string
	Until      time.Time
}

// Step is the record of one question, before it is asked and after.
type Step struct {
	ID      uint `gorm:"primaryKey"`
	Request string
	Dataset string
	Phase   string
	Content string
	At      time.Time
}

// Answer is what a caller got.
type Answer struct {
	ID      uint `gorm:"primaryKey"`
	System  string
	Content string
	At      time.Time
}

// Server does the work of a resolution the usual way: the token is verified at
// every call, the grants are read from the database, every step is a row of its
// own, the sources are asked by the default client.
type Server struct {
	DB      *gorm.DB
	Key     *ecdsa.PublicKey
	Sources []string // addresses of the departments
	Now     func() time.Time
}

// Open connects to the database and makes its tables, and so many grants: of
// twenty departments for each dataset, for one matter after the other. The pool is
// the one that GORM's documentation shows.
func Open(url string, grants int, now func() time.Time) (*gorm.DB, error) {
	db, err := gorm.Open(postgres.Open(url), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxIdleConns(10)
	pool.SetMaxOpenConns(100)
	if err := db.AutoMigrate(&Grant{}, &Step{}, &Answer{}); err != nil {
		return nil, err
	}
	rows := make([]Grant, grants)
	for i := range rows {
		rows[i] = Grant{
			Department: fmt.Sprint("D", i%20), Dataset: fmt.Sprint("D-", i/20%5), Matter: fmt.Sprint("M", i/100),
			Fields: "name,state,level,valid_to,registered_on", Until: now().AddDate(1, 0, 0),
		}
	}
	return db, db.CreateInBatches(rows, 1000).Error
}

// Handler serves the resolution.
func (s *Server) Handler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST("/", s.resolve)
	return engine
}

func (s *Server) resolve(c *gin.Context) {
	token, err := jwt.Parse(strings.TrimPrefix(c.GetHeader("Authorization"), "Bearer "), func(*jwt.Token) (any, error) { return s.Key, nil }, jwt.WithValidMethods([]string{"ES256"}))
	if err != nil {
		c.JSON(http.StatusUnauthorized, gin.H{"error": err.Error()})
		return
	}
	system, _ := token.Claims.GetSubject()
	var opening map[string]any
	if err := c.BindJSON(&opening); err != nil {
		return
	}
	var grants []Grant
	if err := s.DB.Where("department = ? AND matter = ? AND until > ?", "D0", "M0", s.Now()).Find(&grants).Error; err != nil {
		c.JSON(http.StatusInternalServerError, gin.H{"error": err.Error()})
		return
	}
	allowed := map[string]bool{}
	for _, grant := range grants {
		allowed[grant.Dataset] = true
	}
	party := opening["parties"].([]any)[0].(map[string]any)
	request := fmt.Sprint(s.Now().UnixNano())
	type result struct {
		record map[string]any
		err    error
	}
	results := make([]chan result, len(s.Sources))
	for i, source := range s.Sources {
		results[i] = make(chan result, 1)
		go func() {
			dataset := fmt.Sprint("D-", i)
			if !allowed[dataset] {
				results[i] <- result{err: errors.New("not allowed")}
				return
			}
			record, err := s.look(request, dataset, source, party)
			results[i] <- result{record, err}
		}()
	}
	out, settled := gin.H{"request": request}, 0
	for i := range results {
		r := <-results[i]
		if r.err != nil {
			out[fmt.Sprint("D-", i)] = gin.H{"error": r.err.Error()}
			continue
		}
		out[fmt.Sprint("D-", i)] = r.record
		if holds(r.record) {
			settled++
		}
	}
	out["settled"] = settled
	content, _ := json.Marshal(out)
	if err := s.DB.Create(&Answer{System: system, Content: string(content), At: s.Now()}).Error; err != nil {
		c.JSON(http.StatusInternalServerError, gin.H{"error": err.Error()})
		return
	}
	c.JSON(http.StatusOK, out)
}

// look asks one source, with a row before and a row after.
func (s *Server) look(request, dataset, source string, party map[string]any) (map[string]any, error) {
	if err := s.DB.Create(&Step{Request: request, Dataset: dataset, Phase: "intent", At: s.Now()}).Error; err != nil {
		return nil, err
	}
	body, _ := json.Marshal(map[string]any{"request_id": request, "subject": map[string]any{"kind": party["kind"], "name": party["name"], "number": party["number"]}, "purpose": "resolution"})
	response, err := http.Post(source, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var record map[string]any
	if err := json.Unmarshal(content, &record); err != nil {
		return nil, err
	}
	return record, s.DB.Create(&Step{Request: request, Dataset: dataset, Phase: "outcome", Content: string(content), At: s.Now()}).Error
}

// holds is the condition of a material.
func holds(record map[string]any) bool {
	data, _ := record["data"].([]any)
	if len(data) != 1 {
		return false
	}
	fields, _ := data[0].(map[string]any)["record"].(map[string]any)
	return fields["状态"] == "正常" && fmt.Sprint(fields["有效期止"]) > "2026-01-01"
}
