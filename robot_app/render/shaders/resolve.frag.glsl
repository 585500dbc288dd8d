#version 330
// Box filter of an n × n supersampled picture.
uniform sampler2D fine;
uniform int n;
out vec4 result;
void main() {
    ivec2 start = ivec2(gl_FragCoord.xy) * n;
    vec3 sum = vec3(0.0);
    for (int i = 0; i < n * n; i++) {
        vec3 c = texelFetch(fine, start + ivec2(i % n, i / n), 0).rgb;
        sum += c * c;                                              // average light, not grey levels
    }
    result = vec4(sqrt(sum / float(n * n)), 1.0);
}
