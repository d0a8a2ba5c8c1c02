// Judges pods by a ValidatingAdmissionPolicy with the API server's own code.
//
// Reads {"policy": ..., "cases": {name: {"old": pod|null, "new": pod}}} from standard input and writes
// {name: message}, an empty message for a pod that is let in.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	v1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	apiservercel "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

type change struct {
	Old *corev1.Pod `json:"old"`
	New *corev1.Pod `json:"new"`
}

type input struct {
	Policy v1.ValidatingAdmissionPolicy `json:"policy"`
	Cases  map[string]change            `json:"cases"`
}

func main() {
	var given input
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		fail(err)
	}
	validator := compile(given.Policy)
	verdicts := map[string]string{}
	for name, found := range given.Cases {
		verdicts[name] = judge(validator, found)
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		fail(err)
	}
}

func compile(policy v1.ValidatingAdmissionPolicy) validating.Validator {
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		fail(err)
	}
	declared := cel.OptionalVariableDeclarations{HasAuthorizer: true}
	var variables []cel.NamedExpressionAccessor
	for _, variable := range policy.Spec.Variables {
		variables = append(variables, &validating.Variable{Name: variable.Name, Expression: variable.Expression})
	}
	compiler.CompileAndStoreVariables(variables, declared, environment.StoredExpressions)
	var conditions, messages []cel.ExpressionAccessor
	for _, rule := range policy.Spec.Validations {
		conditions = append(conditions, &validating.ValidationCondition{Expression: rule.Expression, Message: rule.Message, Reason: rule.Reason})
		messages = append(messages, &validating.MessageExpressionCondition{MessageExpression: rule.MessageExpression})
	}
	compiled := func(expressions []cel.ExpressionAccessor) cel.ConditionEvaluator {
		evaluator := compiler.CompileCondition(expressions, declared, environment.StoredExpressions)
		if errs := evaluator.CompilationErrors(); len(errs) > 0 {
			fail(errors.Join(errs...))
		}
		return evaluator
	}
	return validating.NewValidator(compiled(conditions), nil, compiled(nil), compiled(messages), policy.Spec.FailurePolicy, nil)
}

func judge(validator validating.Validator, found change) string {
	kind := schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	resource := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	operation, old := admission.Create, runtime.Object(nil)
	if found.Old != nil {
		operation, old = admission.Update, found.Old
	}
	attributes := admission.NewAttributesRecord(found.New, old, kind, "ns", "pod", resource, "", operation, &metav1.CreateOptions{}, false, nil)
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		fail(err)
	}
	versioned, err := admission.NewVersionedAttributes(attributes, kind, admission.NewObjectInterfacesFromScheme(scheme))
	if err != nil {
		fail(err)
	}
	result := validator.Validate(context.Background(), resource, versioned, nil, nil, apiservercel.RuntimeCELCostBudget, nil)
	for _, decision := range result.Decisions {
		if decision.Action != validating.ActionAdmit {
			return decision.Message
		}
	}
	return ""
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
