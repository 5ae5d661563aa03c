// Issues an auth token by Java's own client: `java WithJava.java`. It trusts whom the truststore of
// -Djavax.net.ssl.trustStore holds, which JAVA_TOOL_OPTIONS may name.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class WithJava {
    public static void main(String[] arguments) throws Exception {
        String chat = System.getenv()
            .getOrDefault("CHAT_URL", "https://testapp.api-us.cometchat.io/v3");
        HttpRequest request = HttpRequest
            .newBuilder(URI.create(chat + "/users/cometchat-uid-1/auth_tokens"))
            .header("apikey", "REST_API_KEY")
            .POST(HttpRequest.BodyPublishers.noBody())
            .build();
        HttpResponse<String> answer = HttpClient.newHttpClient()
            .send(request, HttpResponse.BodyHandlers.ofString());
        Matcher uid = Pattern.compile("\"uid\":\"([^\"]+)\"").matcher(answer.body());
        if (answer.statusCode() != 200 || !uid.find()) {
            throw new IllegalStateException(answer.statusCode() + ": " + answer.body());
        }
        System.out.println(uid.group(1));
    }
}
