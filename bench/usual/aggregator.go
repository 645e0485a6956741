package usual

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"
)

// Aggregator asks the departments at once and merges what they say, and does
// nothing else. Its transport is tuned, since it is what is compared, not its
// client.
type Aggregator struct {
	Client  *http.Client
	Sources []string // addresses of the departments
}

// Handler serves the merged answer.
func (a *Aggregator) Handler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST("/", a.merge)
	return engine
}

func (a *Aggregator) merge(c *gin.Context) {
	var question map[string]any
	if err := c.BindJSON(&question); err != nil {
		return
	}
	body, err := json.Marshal(question)
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	type part struct {
		record map[string]any
		err    error
	}
	parts := make([]chan part, len(a.Sources))
	for i, source := range a.Sources {
		parts[i] = make(chan part, 1)
		go func() {
			record, err := a.ask(source, body)
			parts[i] <- part{record, err}
		}()
	}
	merged := gin.H{}
	for i, source := range a.Sources {
		p := <-parts[i]
		if p.err != nil {
			c.JSON(http.StatusBadGateway, gin.H{"error": p.err.Error()})
			return
		}
		merged[source] = p.record
	}
	c.JSON(http.StatusOK, merged)
}

func (a *Aggregator) ask(source string, body []byte) (map[string]any, error) {
	response, err := a.Client.Post(source, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var record map[string]any
	return record, json.NewDecoder(response.Body).Decode(&record)
}
